"""Tables of comparisons as CSV, Markdown and LaTeX."""

import csv as csv_files
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.domain.activations.labels import label_latex
from service.domain.choices import TableFormat
from service.domain.comparison_table import Column, ComparisonTable, Kind
from service.domain.comparisons.cells import Factor, Factors
from service.domain.exports.formats import safe_text
from service.domain.report import factor_text, name_of
from service.report import escaping
from service.report.numbers import NONE, UnitFormat, p_value, ranks
from service.report.parts import Table

NUMBERS: frozenset[Kind] = frozenset({"integer", "real", "figure", "difference", "interval", "p", "rank"})


@dataclass(frozen=True)
class Notation:
    """The functions with which a kind of page writes text, names of groups, numbers and intervals."""

    text: Callable[[str], str]
    name: Callable[[Factors], str]
    number: Callable[[str], str]
    interval: Callable[[str, str], str]


PLAIN = Notation(text=str, name=name_of, number=str, interval="{} to {}".format)


def shown(table: ComparisonTable, notation: Notation = PLAIN) -> Table:
    """Return the table as a page shows it: figures rounded to two digits of the sd between seeds, accuracies in
    percent."""
    show = UnitFormat(table.unit, table.spread)
    places = [place for place, column in enumerate(table.columns) if column.head]
    columns = [table.columns[place] for place in places]
    units = {"figure": show.unit, "difference": show.difference_unit}
    heads = [notation.text(column.head + units.get(column.kind, "")) for column in columns]
    rows = [[_shown(row[place], table.columns[place].kind, show, notation) for place in places] for row in table.rows]
    texts = frozenset(head for head, column in zip(heads, columns, strict=True) if column.kind not in NUMBERS)
    return Table(heads, rows, texts)


def _shown(value: Any, kind: Kind, show: UnitFormat, notation: Notation) -> str:
    if value is None:
        return notation.text(NONE)
    match kind:
        case "group":
            return notation.text(" = ").join(map(notation.name, value))
        case "interval":
            return notation.interval(show(value[0]), show(value[1]))
        case "figure":
            return notation.number(show(value))
        case "difference":
            return notation.number(show.signed(value))
        case "p":
            return notation.number(p_value(value))
        case "rank":
            return notation.text(ranks(value))
        case _:
            return notation.text(str(value))


def csv(table: ComparisonTable) -> str:
    """Return the table as RFC 4180 text for programs: all digits, intervals as two columns, accuracies as fractions,
    the family in columns of its own.

    Text that a spreadsheet may read as a formula has an apostrophe before it, as in exports.
    """
    columns = [(place, column) for place, column in enumerate(table.columns) if column.name]
    text = io.StringIO(newline="")
    writer = csv_files.writer(text)
    writer.writerow([name for _, column in columns for name in _file_names(column)])
    writer.writerows(
        [cell for place, column in columns for cell in _file_cells(row[place], column.kind)] for row in table.rows
    )
    return text.getvalue()


def _file_names(column: Column) -> list[str]:
    ends = {"interval": ("low", "high"), "rank": ("best", "worst")}.get(column.kind)
    return [column.name] if ends is None else [f"{column.name}_{end}" for end in ends]


def _file_cells(value: Any, kind: Kind) -> Iterator[str]:
    if kind in ("interval", "rank"):
        yield from ("", "") if value is None else map(repr, value)
    elif kind == "group":
        yield safe_text(" = ".join(map(name_of, value)))
    elif value is None:
        yield ""
    elif isinstance(value, bool):
        yield "true" if value else "false"
    else:
        yield safe_text(value) if isinstance(value, str) else repr(value)


def markdown(table: ComparisonTable) -> str:
    """Return the caption and the table as GitHub's Markdown shows it."""
    notation = Notation(
        text=escaping.markdown,
        name=lambda factors: escaping.markdown(name_of(factors)),
        number=escaping.markdown,
        interval="{} to {}".format,
    )
    page = shown(table, notation)
    rule = [" --- " if head in page.texts else " ---: " for head in page.heads]
    lines = [[f" {cell} " for cell in row] for row in (page.heads, *page.rows)]
    caption = escaping.markdown(" ".join(table.caption))
    return "\n".join([caption, "", *(f"|{'|'.join(cells)}|" for cells in (lines[0], rule, *lines[1:])), ""])


def latex(table: ComparisonTable) -> str:
    """Return a floating table for a document that loads booktabs and amsmath. Formulas are typeset as math."""
    notation = Notation(
        text=escaping.latex,
        name=latex_name,
        number=lambda text: f"${text}$",
        interval="$[{}, {}]$".format,
    )
    page = shown(table, notation)
    return _LATEX_TABLE.format(
        caption=escaping.latex(" ".join(table.caption)),
        label=table.name.replace("_", "-"),
        alignment="".join("l" if head in page.texts else "r" for head in page.heads),
        head=_latex_row(page.heads),
        rows="\n".join(map(_latex_row, page.rows)),
    )


_LATEX_TABLE = r"""% Needs \usepackage{{booktabs}} and \usepackage{{amsmath}}.
\begin{{table}}
  \centering
  \caption{{{caption}}}
  \label{{tab:{label}}}
  \begin{{tabular}}{{{alignment}}}
    \toprule
{head}
    \midrule
{rows}
    \bottomrule
  \end{{tabular}}
\end{{table}}
"""


def _latex_row(cells: Sequence[str]) -> str:
    return f"    {' & '.join(cells)} \\\\"


def latex_name(factors: Factors) -> str:
    """Return the name of a group as LaTeX, with the formula of an activation as math."""
    if len(factors) == 1:
        return _latex_factor(*next(iter(factors.items())), escaping.latex(name_of(factors)))
    texts = {path: escaping.latex(factor_text(path, value)) for path, value in factors.items()}
    return ", ".join(_latex_factor(path, factors[path], text) for path, text in texts.items()) or "all"


def _latex_factor(path: str, value: Factor, text: str) -> str:
    formula = label_latex(value) if path == "activation" and isinstance(value, str) else None
    return text if formula is None else formula


WRITERS: Mapping[TableFormat, Callable[[ComparisonTable], str]] = {"csv": csv, "markdown": markdown, "latex": latex}
