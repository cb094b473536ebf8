"""The file of a trained network's weights. Its path comes from the experiment's result and from nowhere else."""

from pathlib import Path
from typing import Literal
from uuid import UUID

from fastapi import Request, Response
from fastapi.responses import FileResponse
from sqlalchemy.orm import Session

from service.api.http import conditional
from service.api.http.services import Services
from service.api.views import experiments as views
from service.domain.errors import WeightsNotFound
from service.storage.tables.experiments import Result

Which = Literal["last", "best"]


def answer(request: Request, services: Services, session: Session, id: UUID, which: Which) -> Response:
    """The file, or 304. ResultNotReady until it has succeeded, WeightsNotFound where they are not kept."""
    result = views.finished(session, id)
    etag = f'"{id}.{result.attempt}.{which}"'
    file = _file(services, result, which)
    if conditional.is_known(request, etag):
        return Response(status_code=304, headers={"ETag": etag})
    return FileResponse(
        file,
        media_type="application/octet-stream",
        filename=f"{id}-{which}.safetensors",
        headers={"ETag": etag, "Cache-Control": "no-cache"},
    )


def _file(services: Services, result: Result, which: Which) -> Path:
    if result.weights_path is None:
        raise WeightsNotFound("They could not be written when the training ended; its log says why. Retry it.")
    file = services.settings.weights / result.weights_path / f"{which}.safetensors"
    if not file.is_file():
        days = services.settings.weights_days
        kept = "" if days is None else f" Weights are kept for {days:g} days (ACTLAB_WEIGHTS_DAYS)."
        raise WeightsNotFound(f"This server has no such file: it was removed, or lies with another worker.{kept}")
    return file
