"""Tables of records as HTML, for notebooks."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

MOST_ROWS = 60
"""Rows that a notebook shows, half of them from the end."""


def table(rows: Sequence[Mapping[str, Any]], caption: str = "") -> str:
    """Return a table with a column for each key of the first row; of many rows, the first and the last."""
    if not rows:
        return f"<p>{escape(caption) or 'No rows.'}</p>"
    columns = list(rows[0])
    lines = [_line([row.get(column) for column in columns]) for row in rows]
    if len(lines) > MOST_ROWS:
        gap = f'<tr><td colspan="{len(columns)}">… {len(lines) - MOST_ROWS} more rows</td></tr>'
        lines = [*lines[: MOST_ROWS // 2], gap, *lines[-MOST_ROWS // 2 :]]
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    title = f'<caption style="text-align: left">{escape(caption)}</caption>' if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _line(values: Sequence[Any]) -> str:
    return f"<tr>{''.join(f'<td>{escape(_text(value))}</td>' for value in values)}</tr>"


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case float():
            return f"{value:.6g}"
        case datetime():
            return value.isoformat(" ", "seconds")
    return str(value)
