"""A report as one self-contained page, HTML or Markdown: nothing is fetched when it is opened, and nothing runs."""

import base64
import hashlib
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from service.domain.report import Report, conclusion
from service.report.sections import counted, sections

_MARKDOWN = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_[]<>|#~"} | {"\n": " "})


def html(report: Report) -> str:
    """One page whose figures are images within it, under a policy that lets it load and run nothing."""
    return _ESCAPED.get_template("report.html").render(_context(report), style=Markup(_STYLE), policy=POLICY)


def markdown(report: Report) -> str:
    """The same as text; figures stand at the end, as data, out of the reader's way."""
    return _PLAIN.get_template("report.md").render(_context(report))


def _context(report: Report) -> dict[str, Any]:
    said = {"conclusion": conclusion(report), "counts": counted(report), "sections": sections(report)}
    return {"report": report, **said}


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")


def _md(text: object) -> str:
    """Text that Markdown shows as it is."""
    return str(text).translate(_MARKDOWN)


def _environment(**options: Any) -> Environment:
    found = Environment(
        loader=PackageLoader("service.report"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        **options,
    )  # fmt: skip
    found.filters |= {"day": _day, "md": _md}
    return found


_ESCAPED = _environment(autoescape=True)
_PLAIN = _environment(autoescape=False)
_STYLE = _PLAIN.get_template("report.css").render()

POLICY = (
    "default-src 'none'; img-src data:;"
    f" style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
)
"""What an HTML report may load and run: its own style and figures, and nothing else."""
