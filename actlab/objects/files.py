"""Downloads: exports and reports, whose format is that of the file's suffix."""

from collections.abc import Mapping
from pathlib import Path

from actlab.errors import UnknownFormat
from actlab.flows import Call, Flow, Json

EXPORTS = {".csv": "csv", ".parquet": "parquet", ".jsonl": "jsonl"}
REPORTS = {".html": "html", ".md": "markdown", ".tex": "latex", ".csv": "csv"}
"""Formats by the suffix of a file's name."""


def export(file: str | Path, study: str | None, rows: str, filters: Json) -> Flow[Path]:
    """Write the experiments that have ended into a file. Raises UnknownFormat."""
    file = Path(file)
    query = {"format": _format(file, EXPORTS), "rows": rows, **filters}
    if study is not None and not filters.keys() - {"grid"}:
        yield Call("GET", f"/studies/{study}/export", query, file=file)
    else:
        yield Call("GET", "/experiments/export", {**query, "study": study}, file=file)
    return file


def report(file: str | Path, study: str, query: Json) -> Flow[Path]:
    """Write the report of a study into a file. Raises UnknownFormat."""
    file = Path(file)
    yield Call("GET", f"/studies/{study}/report", {"format": _format(file, REPORTS), **query}, file=file)
    return file


def _format(file: Path, formats: Mapping[str, str]) -> str:
    format = formats.get(file.suffix.lower())
    if format is None:
        *others, last = formats
        raise UnknownFormat(f"{file}: name the file with the suffix {', '.join(others)} or {last}.")
    return format
