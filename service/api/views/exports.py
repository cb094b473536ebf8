"""Exports of experiments as files, streamed so that memory does not grow with their number."""

from collections.abc import AsyncIterator
from typing import Any

from anyio import to_thread
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from service.api.http.services import Services
from service.api.schemas.filters import FilterQuery
from service.api.schemas.grouping import Grid
from service.domain.choices import ExportRows
from service.domain.errors import FieldProblem, Invalid
from service.domain.exports.columns import SHEETS
from service.domain.exports.formats import FORMATS, Format, FormatName
from service.domain.status import TERMINAL
from service.storage.analysis.exports import Reader, Record
from service.storage.records.experiments import Filter


class FileQuery(BaseModel):
    """The format of an export and its rows."""

    model_config = ConfigDict(extra="forbid")

    format: FormatName = Field(
        "csv", description="The format of the file. All formats have the same columns, which docs/export.md describes."
    )
    rows: ExportRows = Field("experiments", description="What each row is about.")


class StudyFileQuery(FileQuery):
    """The format, rows and grid of a study's export."""

    grid: Grid = None


class ExportQuery(FilterQuery, FileQuery):
    """The filters, format and rows of an export."""


_BINARY = {"type": "string", "format": "binary"}
FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file, as an attachment.",
        "content": {
            "text/csv": {"schema": {"type": "string", "examples": ["id,activation,seed\r\n0198c1d2,relu,0\r\n"]}},
            "application/jsonl": {"schema": {"type": "string", "examples": ['{"activation": "relu", "seed": 0}\n']}},
            "application/vnd.apache.parquet": {"schema": _BINARY | {"examples": ["PAR1..."]}},
        },
    }
}


async def answer(services: Services, filters: Filter, query: FileQuery, name: str) -> StreamingResponse:
    """Answer with the file.

    Errors that are known before the first byte are answered as problems; a later failure breaks the transfer off
    without its last chunk, which clients notice.
    """
    _check_ended(filters)
    reader = Reader(filters, query.rows)
    first = await services.read(reader.block)
    file = FORMATS[query.format](SHEETS[query.rows])
    return StreamingResponse(
        _chunks(services, reader, query.rows, file, first),
        media_type=file.media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}-{query.rows}.{query.format}"'},
    )


async def _chunks(
    services: Services, reader: Reader, rows: ExportRows, file: Format, block: list[Record] | None
) -> AsyncIterator[bytes]:
    columns = SHEETS[rows]

    def written(records: list[Record]) -> bytes:
        return file.rows([[column.read(*record) for column in columns] for record in records])

    yield file.begin()
    while block is not None:
        if block:
            yield await to_thread.run_sync(written, block)
        block = await services.read(reader.block)
    yield await to_thread.run_sync(file.end)


def _check_ended(filters: Filter) -> None:
    active = [status for status in filters.statuses if not status.terminal]
    if active:
        reason = f"Only experiments that have ended are exported; choose {', '.join(sorted(TERMINAL))}"
        raise Invalid(f"{reason}.", errors=[FieldProblem("status", reason, "not_ended", active[0])])
