"""The formats of an export, each written piece by piece: no more than a block of rows is in memory at a time."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, Protocol
from uuid import UUID

from service.domain.exports.columns import Column, Kind

FormatName = Literal["csv", "parquet", "jsonl"]
Row = Sequence[Any]

# The starts of a text that a spreadsheet may read as a formula, and the apostrophe itself, so that removing one always
# gives the text.
RISKY = tuple("=+-@'\t\n\r＝＋－＠")  # noqa: RUF001  # full-width signs, which some spreadsheets read as the others


ROW_GROUP = 16_384
"""Rows that a Parquet file keeps together; about 10 MB of them are in memory."""


class Format(Protocol):
    """A writer of a file: `begin`, then `rows` for each block, then `end`; the file is what they return, joined."""

    media_type: ClassVar[str]

    def begin(self) -> bytes: ...

    def rows(self, rows: Iterable[Row]) -> bytes: ...

    def end(self) -> bytes: ...


class Csv:
    """Write RFC 4180 in UTF-8 with a header. Null is an empty cell; lists and objects are JSON text."""

    media_type: ClassVar[str] = "text/csv; charset=utf-8"

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._cells = [_CELLS[column.kind] for column in columns]

    def begin(self) -> bytes:
        return self._written([[column.name for column in self._columns]])

    def rows(self, rows: Iterable[Row]) -> bytes:
        cells = self._cells
        return self._written(
            [None if value is None else cell(value) for cell, value in zip(cells, row, strict=True)] for row in rows
        )

    def end(self) -> bytes:
        return b""

    def _written(self, rows: Iterable[Row]) -> bytes:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows)
        return text.getvalue().encode()


class JsonLines:
    """Write one JSON object a line, with every column in it; null, lists and objects as JSON has them."""

    media_type: ClassVar[str] = "application/jsonl"

    def __init__(self, columns: Sequence[Column]) -> None:
        self._names = [column.name for column in columns]

    def begin(self) -> bytes:
        return b""

    def rows(self, rows: Iterable[Row]) -> bytes:
        lines = (_json(dict(zip(self._names, row, strict=True)), ascii=True) for row in rows)
        return "".join(f"{line}\n" for line in lines).encode()

    def end(self) -> bytes:
        return b""


class Parquet:
    """Write Apache Parquet in row groups of about ROW_GROUP rows.

    Each group adds some 40 kB to the footer, which is kept until the end. Lists are lists, times are UTC timestamps,
    objects are JSON text.
    """

    media_type: ClassVar[str] = "application/vnd.apache.parquet"

    def __init__(self, columns: Sequence[Column]) -> None:
        # Imported here since it takes 50 MB, and most API processes never write Parquet.
        import pyarrow
        import pyarrow.parquet

        self._pyarrow = pyarrow
        self._columns = columns
        self._schema = pyarrow.schema([(column.name, _arrow(pyarrow, column.kind)) for column in columns])
        self._sink = _Sink()
        self._writer = pyarrow.parquet.ParquetWriter(
            self._sink, self._schema, compression="zstd", write_statistics=False
        )
        self._unwritten: list[Any] = []  # tables that are not yet written as a row group

    def begin(self) -> bytes:
        return self._sink.take()

    def rows(self, rows: Iterable[Row]) -> bytes:
        self._unwritten.append(self._table(rows))
        if sum(table.num_rows for table in self._unwritten) >= ROW_GROUP:
            self._write()
        return self._sink.take()

    def end(self) -> bytes:
        self._write()
        self._writer.close()
        return self._sink.take()

    def _table(self, rows: Iterable[Row]) -> Any:
        arrays = [
            self._pyarrow.array([_plain_of(column.kind, value) for value in values], type=field.type)
            for column, values, field in zip(self._columns, zip(*rows, strict=True), self._schema, strict=True)
        ]
        return self._pyarrow.Table.from_arrays(arrays, schema=self._schema)

    def _write(self) -> None:
        if self._unwritten:
            whole = self._pyarrow.concat_tables(self._unwritten).combine_chunks()
            self._writer.write_table(whole, row_group_size=whole.num_rows)
            self._unwritten.clear()


class _Sink(io.RawIOBase):
    """A file whose content is taken from it as it is written."""

    def __init__(self) -> None:
        self._content = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._content += data
        return len(data)

    def take(self) -> bytes:
        content = bytes(self._content)
        self._content.clear()
        return content


FORMATS: Mapping[FormatName, Callable[[Sequence[Column]], Format]] = {
    "csv": Csv,
    "parquet": Parquet,
    "jsonl": JsonLines,
}


def safe_text(value: Any) -> str:
    """Write text, behind an apostrophe where a spreadsheet might read it as a formula and run it."""
    text = str(value)
    return f"'{text}" if text.startswith(RISKY) else text


def _arrow(pyarrow: Any, kind: Kind) -> Any:
    return {
        "text": pyarrow.string(),
        "integer": pyarrow.int64(),
        "real": pyarrow.float64(),
        "boolean": pyarrow.bool_(),
        "time": pyarrow.timestamp("us", tz="UTC"),
        "texts": pyarrow.list_(pyarrow.string()),
        "integers": pyarrow.list_(pyarrow.int64()),
        "object": pyarrow.string(),
    }[kind]


def _plain_of(kind: Kind, value: Any) -> Any:
    if value is None or kind not in ("text", "object"):
        return value
    return _json(value) if kind == "object" else str(value)


def _json(value: Any, *, ascii: bool = False) -> str:
    # In ASCII, since some readers end a line at Unicode's line separators.
    return json.dumps(value, default=_plain, allow_nan=False, ensure_ascii=ascii)


def _plain(value: Any) -> str:
    """Write a value that JSON has no type for as text."""
    if isinstance(value, datetime):
        return _iso(value)
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in an export")


def _iso(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


_CELLS: Mapping[Kind, Any] = {
    "text": safe_text,
    "integer": str,
    "real": repr,  # the shortest text that reads back as the same number
    "boolean": lambda value: "true" if value else "false",
    "time": _iso,
    "texts": _json,
    "integers": _json,
    "object": _json,
}
