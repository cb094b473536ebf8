"""The files of a run: its weights, and the report of its study."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

from fastapi import Request, Response
from sqlalchemy.orm import Session

from service.api.http.loading import load_experiment, load_result
from service.api.http.services import Services
from service.api.mlflow.requests import id_of
from service.api.routes.reports import ReportQuery, page_of
from service.api.views import weights
from service.api.views.weights import Which
from service.domain.errors import NotFound
from service.domain.status import Status
from service.storage.records import results
from service.usecases import experiment_sets

Json = dict[str, Any]

REPORT = "report.html"
WEIGHTS: dict[str, Which] = {f"{which}.safetensors": which for which in get_args(Which)}


def listed(session: Session, services: Services, path: str) -> list[Json]:
    """Return the files below a path; none below the path of a file, else clients take it for a folder.

    Raises NotFound for a run that does not exist.
    """
    run, _, file = path.strip("/").partition("/")
    id = id_of(run, "run")
    experiment = load_experiment(session, id)
    if file:
        return []
    report = [{"path": REPORT, "is_dir": False}] if experiment.study_id and _succeeded(experiment.status) else []
    return [*_weights(session, services, id), *report]


def download(request: Request, session: Session, services: Services, path: str) -> Response:
    """Answer with a file of a run. Raises NotFound."""
    run, _, file = path.strip("/").partition("/")
    id = id_of(run, "run")
    experiment = load_experiment(session, id)
    if file in WEIGHTS:
        return weights.answer(request, services, load_result(session, id), WEIGHTS[file])
    if file == REPORT and experiment.study_id is not None and _succeeded(experiment.status):
        return Response(_report(session, experiment.study_id), media_type="text/html")
    raise NotFound(f"The run {run} has no file {file!r}.")


def _succeeded(status: str) -> bool:
    return status == Status.SUCCEEDED


def _weights(session: Session, services: Services, id: UUID) -> Iterator[Json]:
    result = results.of_experiment(session, id)
    if result is None or result.weights_path is None:
        return
    folder: Path = services.settings.weights / result.weights_path
    for name in WEIGHTS:
        if (folder / name).is_file():
            yield {"path": name, "is_dir": False, "file_size": (folder / name).stat().st_size}


def _report(session: Session, study: UUID) -> str:
    query = ReportQuery(allow_mixed=True)
    return page_of(session, study, experiment_sets.of_study(session, study, None, []), query)
