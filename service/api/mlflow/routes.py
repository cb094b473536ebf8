"""The routes that MLflow's client calls. None of them changes anything."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session

from service.access.roles import Role, needs
from service.api.http.dependencies import ReadSession, ServicesDep
from service.api.http.guarded import GuardedRoute
from service.api.mlflow import artifacts, views
from service.api.mlflow.names import NO_STUDY, NO_STUDY_NAME
from service.api.mlflow.requests import MOST_GROUPS, MOST_RUNS, GroupSearch, RunSearch, dumped, id_of
from service.domain.errors import NotFound
from service.storage.records import epochs, ordering
from service.storage.records.experiments import Filter
from service.storage.records.ordering import Start
from service.storage.studies import records as studies
from service.storage.tables.studies import Study

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

V2 = "/api/2.0/mlflow"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
JSON = "application/json"

SERVER = {
    "store_type": "SqlStore", "workspaces_enabled": False, "trace_archival_enabled": False,
    "multipart_uploads_enabled": False, "multipart_downloads_enabled": False, "artifact_serving_enabled": True,
}  # fmt: skip
"""The answer to the client's first question, which features the server has."""

RunId = Annotated[str | None, Query()]


@router.get("/api/3.0/mlflow/server-info")
@needs(Role.VIEWER)
async def get_server_info() -> Response:
    return JSONResponse(SERVER)


@router.get(f"{V2}/experiments/search")
@needs(Role.VIEWER)
def search_experiments_by_query(search: Annotated[GroupSearch, Query()], session: ReadSession) -> Response:
    return search_experiments(search, session)


@router.post(f"{V2}/experiments/search")
@needs(Role.VIEWER)
def search_experiments(search: GroupSearch, session: ReadSession) -> Response:
    """List studies, and after the last of them that of the experiments of no study."""
    order, start, limit = search.order(), search.start(), min(search.max_results, MOST_GROUPS)
    rows = studies.ordered_page(session, search.filters(), order, start, limit + 1)
    groups = _groups(session, rows[:limit])
    if len(rows) > limit:
        token = search.token(ordering.next_start(order, start, rows[:limit]))
        return JSONResponse({"experiments": groups, "next_page_token": token})
    if not search.filter and search.view_type != "DELETED_ONLY":
        groups.append(views.no_study())
    return JSONResponse({"experiments": groups})


@router.get(f"{V2}/experiments/get")
@needs(Role.VIEWER)
def get_mlflow_experiment(session: ReadSession, experiment_id: RunId = None) -> Response:
    if experiment_id == NO_STUDY:
        return JSONResponse({"experiment": views.no_study()})
    study = studies.find(session, id_of(experiment_id, "experiment"))
    return _answer(session, study, experiment_id)


@router.get(f"{V2}/experiments/get-by-name")
@needs(Role.VIEWER)
def get_mlflow_experiment_by_name(session: ReadSession, experiment_name: RunId = None) -> Response:
    if experiment_name == NO_STUDY_NAME:
        return JSONResponse({"experiment": views.no_study()})
    return _answer(session, _named(session, experiment_name or ""), experiment_name)


@router.post(f"{V2}/runs/search")
@needs(Role.VIEWER)
def search_runs(search: RunSearch, session: ReadSession) -> Response:
    """List experiments with the figures of their rows; no epoch is read."""
    order, start, limit = search.order(), search.start(), min(search.max_results, MOST_RUNS)
    rows = ordering.experiments(session, search.filters(), order, start, limit + 1)
    tags, runs = ordering.tags_of(session, [row.id for row in rows]), views.Runs()
    texts = ",".join(runs.text(row, tags[row.id]) for row in rows[:limit])
    more = ""
    if len(rows) > limit:
        more = f',"next_page_token":{dumped(search.token(ordering.next_start(order, start, rows[:limit])))}'
    return Response(f'{{"runs":[{texts}]{more}}}', media_type=JSON)


@router.get(f"{V2}/runs/get")
@needs(Role.VIEWER)
def get_run(session: ReadSession, run_id: RunId = None, run_uuid: RunId = None) -> Response:
    """Read an experiment with the newest value of each metric."""
    row = _row(session, id_of(run_id or run_uuid, "run"))
    text = views.Runs().text(row, ordering.tags_of(session, [row.id])[row.id], epochs.of_experiment(session, row.id))
    return Response(f'{{"run":{text}}}', media_type=JSON)


@router.get(f"{V2}/metrics/get-history")
@needs(Role.VIEWER)
def get_metric_history(
    session: ReadSession, metric_key: RunId = None, run_id: RunId = None, run_uuid: RunId = None
) -> Response:
    """Read every value of a metric. There are at most as many as epochs, which are one page."""
    row = _row(session, id_of(run_id or run_uuid, "run"))
    values = views.history(row, epochs.of_experiment(session, row.id), metric_key or "")
    return JSONResponse({"metrics": values} if values else {})


@router.post(f"{V2}/logged-models/search")
@needs(Role.VIEWER)
async def search_logged_models() -> Response:
    return JSONResponse({"models": []})


@router.get(ARTIFACTS)
@needs(Role.VIEWER)
def list_artifacts(session: ReadSession, services: ServicesDep, path: str = "") -> Response:
    return JSONResponse({"files": artifacts.listed(session, services, path)})


@router.get(f"{ARTIFACTS}/{{path:path}}")
@needs(Role.VIEWER)
def download_artifact(path: str, request: Request, session: ReadSession, services: ServicesDep) -> Response:
    return artifacts.download(request, session, services, path)


def _row(session: Session, id: UUID) -> Any:
    rows = ordering.experiments(session, Filter(ids=(id,)), [], Start(), 1)
    if not rows:
        raise NotFound(f"There is no run {id}.")
    return rows[0]


def _named(session: Session, name: str) -> Study | None:
    """Return the study that is shown by a name: its own, or that of one without."""
    study = studies.named(session, name)
    part = name.removeprefix(views.UNNAMED)
    if study is not None or part == name or len(part) != 8 or not _is_hexadecimal(part):
        return study
    return studies.unnamed(session, UUID(part + "0" * 24), UUID(part + "f" * 24))


def _is_hexadecimal(text: str) -> bool:
    return all(char in "0123456789abcdef" for char in text)


def _answer(session: Session, study: Study | None, asked: str | None) -> Response:
    if study is None:
        raise NotFound(f"There is no experiment {asked!r}.")
    return JSONResponse({"experiment": _groups(session, [study])[0]})


def _groups(session: Session, rows: Any) -> list[dict[str, Any]]:
    tags = studies.tags_of(session, [row.id for row in rows])
    return [views.group(row, tags.get(row.id, [])) for row in rows]
