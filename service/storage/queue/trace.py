"""Recording transitions: a new revision for the experiments and, in tests, a line of the trace."""

from collections.abc import Sequence
from uuid import UUID

from service.storage.changes.revisions import stamp
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.tables.experiments import Trace


def record_transition(
    session: UnitOfWork, moves: Sequence[tuple[UUID, int]], transition: str, epoch: int | None = None
) -> None:
    """Stamp the experiments, each given with its attempt, with the next revision; where tests ask for a trace, write a
    line of it for each. Call it last: the change counter stays locked until the commit."""
    if session.trace:
        session.add_all(Trace(experiment_id=id, attempt=attempt, transition=transition) for id, attempt in moves)
    stamp(session, [id for id, _ in moves], epoch=epoch)
