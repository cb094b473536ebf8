"""Downloads of many experiments at once, streamed: memory does not grow with their number."""

from collections.abc import AsyncIterator
from typing import Any

from anyio import to_thread
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from service.api.http.services import Services
from service.api.schemas.filters import FilterQuery
from service.api.schemas.grouping import Grid
from service.domain.errors import FieldProblem, Invalid
from service.domain.exports.columns import SHEETS, RowsName
from service.domain.exports.formats import FORMATS, Format, FormatName
from service.domain.status import Status
from service.storage.analysis.exports import Reader, Record
from service.storage.records.experiments import Filter


class FileQuery(BaseModel):
    """Which file."""

    model_config = ConfigDict(extra="forbid")

    format: FormatName = Field("csv", description="Every format holds the same columns: docs/export.md.")
    rows: RowsName = Field("experiments", description="What there is a row for.")


class StudyFileQuery(FileQuery):
    """Which file of a study."""

    grid: Grid = None


class ExportQuery(FilterQuery, FileQuery):
    """Which experiments, as which file."""


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


async def answer(services: Services, narrowed: Filter, query: FileQuery, name: str) -> StreamingResponse:
    """The file. What is wrong from the start is a problem as everywhere; a failure later cuts the transfer off without
    its end, which clients notice."""
    _only_ended(narrowed)
    reader = Reader(narrowed, query.rows)
    first = await services.read(reader.block)
    file = FORMATS[query.format](SHEETS[query.rows])
    return StreamingResponse(
        _chunks(services, reader, query.rows, file, first),
        media_type=file.media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}-{query.rows}.{query.format}"'},
    )


async def _chunks(
    services: Services, reader: Reader, rows: RowsName, file: Format, block: list[Record] | None
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


def _only_ended(narrowed: Filter) -> None:
    if narrowed.status is not None and not Status(narrowed.status).terminal:
        reason = (
            f"Only what has ended is exported, which {narrowed.status} has not; ask for succeeded, failed, cancelled"
        )
        raise Invalid(f"{reason}.", errors=[FieldProblem("status", reason, "not_ended", narrowed.status)])
