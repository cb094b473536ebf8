"""Views of experiments, and the resources that clients poll."""

import json
from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from service.api.http.conditional import Listing, Resource, Snapshot
from service.api.http.loading import experiment_not_found, load_experiment, load_result
from service.api.http.memory import Fragment, Memory
from service.api.schemas.attempts import AttemptsView
from service.api.schemas.diagnostics import DiagnosticsView, LayerView
from service.api.schemas.epochs import EpochsView, EpochView
from service.api.schemas.experiments import ExperimentView
from service.api.schemas.results import ResultView
from service.domain.diagnostics import MEASURES, Measure
from service.domain.status import Status
from service.storage.queue import order
from service.storage.records import attempts, diagnostics, epochs, experiments
from service.storage.records.experiments import Entry
from service.storage.tables.experiments import Experiment


def experiment_views(session: Session, rows: Sequence[Experiment]) -> list[ExperimentView]:
    """Return the views of experiments; a few further queries give those that wait their position and reason."""
    queued = [row.id for row in rows if row.status == Status.QUEUED]
    waiting = order.waiting(session, queued) if queued else {}
    return [_experiment(row, waiting.get(row.id)) for row in rows]


def experiment_view(session: Session, row: Experiment) -> ExperimentView:
    return experiment_views(session, [row])[0]


def _experiment(row: Experiment, waiting: order.Waiting | None) -> ExperimentView:
    view = ExperimentView.model_validate(row)
    if waiting is not None:
        view.waiting_reason, view.queue_position = _waiting_reason(waiting), waiting.position
    return view


def _waiting_reason(waiting: order.Waiting) -> str:
    if waiting.workers_alive == 0 and waiting.worker_problem is not None:
        return f"No worker is alive, because the last one could not start. {waiting.worker_problem}"
    if waiting.workers_alive == 0:
        return "No worker is alive. Start one with `actlab up` or `actlab worker`."
    if (unavailable := waiting.unavailable) is not None:
        return (
            f"The data set {unavailable.dataset} could not be downloaded; it is tried again in"
            f" {unavailable.retry_seconds:.0f} s. {unavailable.reason}"
        )
    if waiting.back_off_seconds > 0:
        return f"Its last attempt was lost; it is retried in {waiting.back_off_seconds:.0f} s."
    if waiting.position == 1:
        return "It is next in line."
    return f"It is behind {waiting.position - 1} other{'s' if waiting.position > 2 else ''}."


def listing(session: Session, memory: Memory, entries: Sequence[Entry], next_cursor: str | None) -> Listing:
    """Return a page of a list of experiments, as Page[ExperimentView] would be serialised."""

    def build() -> str:
        items = ",".join(_items(session, memory, entries))
        return f'{{"items":[{items}],"next_cursor":{json.dumps(next_cursor)}}}'

    states = [(entry.id, entry.revision) for entry in entries]
    return Listing(states, next_cursor, all(entry.status != Status.QUEUED for entry in entries), build)


def _items(session: Session, memory: Memory, entries: Sequence[Entry]) -> list[str]:
    """Return the text of each item: as it is kept, or else from the database, in one pass for all that are missing."""
    texts = memory.fragments((entry.id, entry.revision) for entry in entries if entry.status != Status.QUEUED)
    missing = [entry.id for entry in entries if entry.id not in texts]
    views = experiment_views(session, experiments.whole(session, missing)) if missing else []
    built = {view.id: Fragment(view.revision, view.model_dump_json()) for view in views}
    memory.keep_fragments({view.id: built[view.id] for view in views if view.status != Status.QUEUED})
    return [texts.get(entry.id) or built[entry.id].text for entry in entries]


def experiment_resource(id: UUID) -> Resource:
    def peek(session: Session) -> int | None:
        revision, status = _revision(session, id)
        return None if status == Status.QUEUED else revision

    def build(session: Session) -> Snapshot:
        view = experiment_view(session, load_experiment(session, id))
        return Snapshot(view, None if view.status == Status.QUEUED else view.revision, view.status.terminal)

    return Resource(id, peek, build)


def epochs_resource(id: UUID, since: int | None) -> Resource:
    def build(session: Session) -> Snapshot:
        experiment = load_experiment(session, id)
        items = [EpochView.model_validate(epoch) for epoch in epochs.of_experiment(session, id, since)]
        body = EpochsView(items=items, valid_through_epoch=experiment.epochs_done, revision=experiment.revision)
        return Snapshot(body, experiment.revision, Status(experiment.status).terminal)

    return Resource(id, lambda session: _revision(session, id)[0], build)


def diagnostics_resource(
    id: UUID, layers: Collection[str], measures: Collection[Measure], since: int | None
) -> Resource:
    left_out = set(MEASURES) - set(measures) if measures else set()
    fields = [name for name in LayerView.model_fields if name not in left_out]

    def build(session: Session) -> Snapshot:
        experiment = load_experiment(session, id)
        rows = diagnostics.of_experiment(session, id, since, layers)
        items = [LayerView.model_validate({name: getattr(layer, name) for name in fields}) for layer in rows]
        body = DiagnosticsView(items=items, valid_through_epoch=experiment.epochs_done, revision=experiment.revision)
        return Snapshot(body, experiment.revision, Status(experiment.status).terminal)

    return Resource(id, lambda session: _revision(session, id)[0], build)


def result_resource(id: UUID) -> Resource:
    def peek(session: Session) -> int | None:
        revision, status = _revision(session, id)
        return revision if status == Status.SUCCEEDED else None  # the others have none: `build` raises the reason

    def build(session: Session) -> Snapshot:
        result = load_result(session, id)
        return Snapshot(ResultView.model_validate(result), load_experiment(session, id).revision, final=True)

    return Resource(id, peek, build)


def attempts_resource(id: UUID) -> Resource:
    def build(session: Session) -> Snapshot:
        experiment = load_experiment(session, id)
        body = AttemptsView.model_validate({"items": attempts.of_experiment(session, id)})
        # No revision: the log grows without one.
        return Snapshot(body, None, Status(experiment.status).terminal)

    return Resource(None, lambda session: None, build)


def _revision(session: Session, id: UUID) -> tuple[int, str]:
    row = experiments.revision(session, id)
    if row is None:
        raise experiment_not_found(id)
    return row
