"""Recording transitions: a new revision for the experiments and, in tests, a line of the trace."""

from collections.abc import Sequence
from uuid import UUID

from service.storage.changes.revisions import stamp
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.tables.experiments import Trace


def record_transition(
    session: UnitOfWork, attempts: Sequence[tuple[UUID, int]], transition: str, epoch: int | None = None
) -> None:
    """Stamp experiments with the next revision, and trace the transition where the unit of work asks for it.

    `attempts` are pairs of an experiment's id and its attempt. Call this last in a transaction: the change counter
    stays locked until the commit.
    """
    if session.trace:
        session.add_all(Trace(experiment_id=id, attempt=attempt, transition=transition) for id, attempt in attempts)
    stamp(session, [id for id, _ in attempts], epoch=epoch)
