"""The output of commands: results on stdout, as tables or JSON, and words about what happens on stderr."""

import json
import shutil
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

Json = Mapping[str, Any]

WIDTH_OF_FILES = 160
"""Columns of a table that is no terminal's: wide enough that nothing is cut off for `grep` and `less`."""

STYLES = {
    "succeeded": "green", "failed": "red", "cancelled": "yellow", "running": "cyan", "queued": "dim",
    "supported": "green", "refuted": "red", "undecided": "yellow",
    "ok": "green", "problem": "red", "warning": "yellow", "skipped": "dim",
}  # fmt: skip


def console() -> Console:
    """Return the console of results, as wide as the terminal."""
    return Console(width=shutil.get_terminal_size((WIDTH_OF_FILES, 50)).columns, highlight=False)


def show(answer: Any, picture: RenderableType, *, as_json: bool) -> None:
    """Print an answer of the API on stdout: as it is, or as its picture for people. A text is not broken into lines.
    Of a table without rows, words on stderr say so."""
    if as_json:
        write_json(answer)
    elif isinstance(picture, str):
        typer.echo(picture)
    elif isinstance(picture, Table) and not picture.row_count:
        say("There is nothing to list.")
    else:
        console().print(picture)


def write_json(answer: Any) -> None:
    """Print one JSON document. `dict` turns mappings of other types into objects."""
    typer.echo(json.dumps(answer, indent=2, default=dict))


def write_line(answer: Any) -> None:
    """Print a JSON document on a line of its own, at once."""
    typer.echo(json.dumps(answer, default=dict))


def say(words: str) -> None:
    """Print a sentence about what happens on stderr."""
    Console(stderr=True).print(words, markup=False, highlight=False, soft_wrap=True)


def table(*columns: str, right: Iterable[str] = (), cut: Iterable[str] = ()) -> Table:
    """Return an empty table whose columns `right` are aligned on the right. Where it is too wide, those of `cut` shrink
    first, whose cells are those of `clipped`."""
    made = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    right, cut = {*right}, {*cut}
    for column in columns:
        justify: Literal["left", "right"] = "right" if column in right else "left"
        made.add_column(column, justify=justify, no_wrap=column not in cut, overflow="ellipsis")
    return made


def clipped(value: Any) -> Text:
    """Return a value as text for a cell that may be cut off; nothing in it is markup."""
    return Text("" if value is None else str(value).replace("\n", " "), no_wrap=True, overflow="ellipsis")


def fields(rows: Iterable[tuple[str, Any]]) -> Table:
    """Return a table of a name and a value in each row, without those that have no value."""
    made = Table.grid(padding=(0, 2, 0, 0))
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in rows:
        if value not in (None, "", [], {}):
            made.add_row(name, value if isinstance(value, Text) else plain(value))
    return made


def plain(value: Any) -> Text:
    """Return a value of the API as text for a cell; nothing in it is markup."""
    return Text("" if value is None else str(value))


def coloured(word: str) -> Text:
    """Return a status or verdict in its colour."""
    return Text(word, STYLES.get(word, ""))


def number(value: float | None, form: str = ".4f") -> str:
    return "" if value is None else f"{value:{form}}"


def moment(text: str | None) -> str:
    """Return a time of the API to the second, in UTC: `2026-01-31 12:00:00`."""
    return "" if text is None else text[:19].replace("T", " ")


def duration(seconds: float | None) -> str:
    """Return a duration in the two largest units that it has: `2 h 5 min`, `41 s`."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    return f"{hours} h {minutes_left} min" if hours else f"{minutes} min {rest} s"
