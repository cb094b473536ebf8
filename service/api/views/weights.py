"""The file of a trained network's weights. Its path comes from the experiment's result, and no request names it."""

from pathlib import Path
from typing import Literal

from fastapi import Request, Response
from fastapi.responses import FileResponse

from service.api.http import conditional
from service.api.http.services import Services
from service.domain.errors import WeightsNotFound
from service.storage.tables.experiments import Result

Which = Literal["last", "best"]


def answer(request: Request, services: Services, result: Result, which: Which) -> Response:
    """Answer with the file, or with 304. Raises WeightsNotFound if the file is not kept."""
    id = result.experiment_id
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
        raise WeightsNotFound(
            "The weights could not be written when the training ended; the log says why. Retry the experiment."
        )
    file = services.settings.weights / result.weights_path / f"{which}.safetensors"
    if not file.is_file():
        days = services.settings.weights_days
        retention = "" if days is None else f" Weights are kept for {days:g} days (ACTLAB_WEIGHTS_DAYS)."
        raise WeightsNotFound(f"This server has no such file: it was removed, or is on another machine.{retention}")
    return file
