"""Records of epochs: the figures of each."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from service.domain.results import EpochMetrics
from service.storage.engine.unit_of_work import BLIND
from service.storage.engine.upsert import upsert_rows
from service.storage.records import diagnostics
from service.storage.tables.base import table_of
from service.storage.tables.epochs import Epoch
from service.storage.tables.experiments import Experiment

_EPOCHS = table_of(Epoch)
_KEY = ("experiment_id", "epoch")


def upsert(session: Session, experiment: UUID, attempt: int, figures: EpochMetrics) -> None:
    """Write the figures of one epoch; a row that a newer attempt wrote stays."""
    values = {"experiment_id": experiment, "attempt": attempt, **figures.model_dump()}
    upsert_rows(session, _EPOCHS, [values], _KEY, unless_newer="attempt")


def forget_undone(session: Session, experiments: Collection[UUID]) -> None:
    """Delete the rows past `epochs_done`, diagnostics included: the next attempt will train these epochs again."""
    done = select(Experiment.epochs_done).where(Experiment.id == Epoch.experiment_id).scalar_subquery()
    session.execute(
        delete(Epoch).where(Epoch.experiment_id.in_(experiments), Epoch.epoch > done),
        execution_options=BLIND,
    )
    diagnostics.forget_undone(session, experiments)


def of_experiment(session: Session, experiment: UUID, since: int | None = None) -> Sequence[Epoch]:
    """Return epochs in order; `since` selects those that changed after a revision."""
    query = select(Epoch).where(Epoch.experiment_id == experiment).order_by(Epoch.epoch)
    return session.scalars(query if since is None else query.where(Epoch.revision > since)).all()


def of_experiments(session: Session, experiments: Collection[UUID]) -> Sequence[Epoch]:
    """Return the epochs of several experiments, ordered by experiment and epoch."""
    query = select(Epoch).where(Epoch.experiment_id.in_(experiments)).order_by(Epoch.experiment_id, Epoch.epoch)
    return session.scalars(query).all()
