"""Print the tables of columns for docs/export.md: python -m service.domain.exports."""

import sys
from collections.abc import Sequence

from service.domain.exports.columns import SHEETS, Column


def tables() -> str:
    """Return a heading and a table of columns for each kind of row, in Markdown."""
    return "\n\n".join(f"## rows={rows}\n\n{_table(columns)}" for rows, columns in SHEETS.items()) + "\n"


def _table(columns: Sequence[Column]) -> str:
    rows = [f"| `{column.name}` | {column.kind} | {column.meaning} |" for column in columns]
    return "\n".join(["| column | kind | meaning |", "| --- | --- | --- |", *rows])


if __name__ == "__main__":
    sys.stdout.write(tables())
