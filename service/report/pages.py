"""A report as one self-contained page, HTML or Markdown: opening it fetches and runs nothing."""

import base64
import hashlib
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from service.domain.report import Report, conclusion
from service.report import escaping
from service.report.sections import counted, sections


def html(report: Report) -> str:
    """Return one page with its figures as images inside it, under a policy that lets it load and run nothing."""
    return _ESCAPED.get_template("report.html").render(_context(report), style=Markup(_STYLE), policy=POLICY)


def markdown(report: Report) -> str:
    """Return the report as Markdown; the figures stand at the end, as data."""
    return _PLAIN.get_template("report.md").render(_context(report))


def _context(report: Report) -> dict[str, Any]:
    texts = {"conclusion": conclusion(report), "counts": counted(report), "sections": sections(report)}
    return {"report": report, **texts}


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")


def _environment(**options: Any) -> Environment:
    environment = Environment(
        loader=PackageLoader("service.report"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        **options,
    )  # fmt: skip
    environment.filters |= {"day": _day, "md": escaping.markdown}
    return environment


_ESCAPED = _environment(autoescape=True)
_PLAIN = _environment(autoescape=False)
_STYLE = _PLAIN.get_template("report.css").render()

POLICY = (
    "default-src 'none'; img-src data:;"
    f" style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
)
"""The content security policy of an HTML report: it loads its own style and figures, and runs nothing."""
