"""Rows as frames of pandas, polars or pyarrow, none of which is imported before it is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from actlab.errors import MissingLibrary

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

Row = dict[str, Any]
T = TypeVar("T")

ENDS = ("low", "high")
"""The names that the two ends of an interval have in columns."""


class Frames:
    """Methods that return the rows of an object as a frame, one column for each figure.

    Figures within figures have dotted names, times are datetimes in UTC, and the ends of an interval are two columns.
    """

    def _rows(self) -> list[Row]:
        raise NotImplementedError

    def to_pandas(self) -> pandas.DataFrame:
        """Return the rows as a DataFrame of pandas. Raises MissingLibrary without it."""
        return pandas_frame(self._rows())

    def to_polars(self) -> polars.DataFrame:
        """Return the rows as a DataFrame of polars. Raises MissingLibrary without it."""
        return polars_frame(self._rows())

    def to_arrow(self) -> pyarrow.Table:
        """Return the rows as a table of pyarrow. Raises MissingLibrary without it."""
        return arrow_table(self._rows())


class Listing(list[T], Frames):
    """A list of records, with frames of a row for each."""

    def _rows(self) -> list[Row]:
        return aligned([flat(item) for item in self if isinstance(item, Mapping)])

    def _repr_html_(self) -> str:
        from actlab.objects.html import table

        return table(self._rows())


def pandas_frame(rows: Sequence[Row]) -> pandas.DataFrame:
    frame: pandas.DataFrame = library("pandas", "pandas").DataFrame(list(rows))
    return frame


def polars_frame(rows: Sequence[Row]) -> polars.DataFrame:
    frame: polars.DataFrame = library("polars", "polars").DataFrame(list(rows), infer_schema_length=None, strict=False)
    return frame


def arrow_table(rows: Sequence[Row]) -> pyarrow.Table:
    return library("pyarrow", "arrow").Table.from_pylist(list(rows))


def library(name: str, extra: str) -> ModuleType:
    """Import a library that an extra installs. Raises MissingLibrary with the command to install it."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != name.partition(".")[0]:
            raise
        raise MissingLibrary(f"{name} is not installed: pip install 'actlab[{extra}]'", name=name) from error


def flat(fields: Mapping[str, Any], prefix: str = "") -> Row:
    """Return figures by their column."""
    return dict(_columns(fields, prefix))


def aligned(rows: Sequence[Row]) -> list[Row]:
    """Return rows that all have the columns of any, with None where a row has no value."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    return [{column: row.get(column) for column in columns} for row in rows]


def _columns(fields: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in fields.items():
        column = f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from _columns(value, f"{column}.")
        elif name.endswith("interval"):
            ends = value or (None, None)
            yield from ((f"{column}_{end}", figure) for end, figure in zip(ENDS, ends, strict=True))
        else:
            yield column, datetime.fromisoformat(value) if name.endswith("_at") and value else value
