"""A report as one self-contained document: opening it fetches and runs nothing."""

import base64
import hashlib
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from service.domain.comparison_table import table_of
from service.domain.report import Report, conclusion, name_of
from service.report import escaping, tables
from service.report.sections import counted, sections
from service.report.tables import latex_name


def html(report: Report) -> str:
    """Return one page with its figures as images inside it, under a policy that lets it load and run nothing."""
    return _ESCAPED.get_template("report.html").render(_context(report), style=Markup(_STYLE), policy=POLICY)


def markdown(report: Report) -> str:
    """Return the report as Markdown; the figures stand at the end, as data."""
    return _PLAIN.get_template("report.md").render(_context(report))


def latex(report: Report) -> str:
    """Return the report as a LaTeX document without its figures. Names that are formulas are math in tables."""
    names = {name_of(group.factors): latex_name(group.factors) for group in report.comparison.groups}
    return _PLAIN.get_template("report.tex").render(_context(report), names=names)


def csv(report: Report) -> str:
    """Return the table of the report's result as CSV, which is that of the comparison."""
    return tables.csv(table_of(report.comparison))


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
    environment.filters |= {"day": _day, "md": escaping.markdown, "tex": escaping.latex}
    return environment


_ESCAPED = _environment(autoescape=True)
_PLAIN = _environment(autoescape=False)
_STYLE = _PLAIN.get_template("report.css").render()

POLICY = (
    "default-src 'none'; img-src data:;"
    f" style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
)
"""The content security policy of an HTML report: it loads its own style and figures, and runs nothing."""
