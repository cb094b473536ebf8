"""Records of diagnostics: figures per epoch and layer. Unlike those of epochs they begin with epoch 0."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from service.domain.diagnostics import LayerDiagnostics
from service.storage.engine.unit_of_work import BLIND
from service.storage.engine.upsert import upsert_rows
from service.storage.tables.base import table_of
from service.storage.tables.diagnostics import Layer
from service.storage.tables.experiments import Experiment

_LAYERS = table_of(Layer)
_KEY = ("experiment_id", "epoch", "position")


def upsert(session: Session, experiment: UUID, attempt: int, layers: Sequence[LayerDiagnostics]) -> None:
    """Write the layers of an epoch, possibly none; rows that a newer attempt wrote stay."""
    if not layers:
        return
    rows = [{"experiment_id": experiment, "attempt": attempt, **layer.model_dump()} for layer in layers]
    upsert_rows(session, _LAYERS, rows, _KEY, unless_newer="attempt")


def forget_undone(session: Session, experiments: Collection[UUID]) -> None:
    """Delete the rows of epochs past `epochs_done`; epoch 0, the start, stays."""
    done = select(Experiment.epochs_done).where(Experiment.id == Layer.experiment_id).scalar_subquery()
    session.execute(
        delete(Layer).where(Layer.experiment_id.in_(experiments), Layer.epoch > done),
        execution_options=BLIND,
    )


def of_experiment(
    session: Session, experiment: UUID, since: int | None = None, layers: Collection[str] = ()
) -> Sequence[Layer]:
    """Return layers by epoch, from the input to the output.

    `since` selects rows that changed after a revision, and `layers` those of the named layers.
    """
    query = select(Layer).where(Layer.experiment_id == experiment).order_by(Layer.epoch, Layer.position)
    if since is not None:
        query = query.where(Layer.revision > since)
    if layers:
        query = query.where(Layer.layer.in_(layers))
    return session.scalars(query).all()


def of_experiments(session: Session, experiments: Collection[UUID]) -> Sequence[Layer]:
    """Return all layers of several experiments, ordered by id, epoch and position: one query by the primary key."""
    order = (Layer.experiment_id, Layer.epoch, Layer.position)
    return session.scalars(select(Layer).where(Layer.experiment_id.in_(experiments)).order_by(*order)).all()
