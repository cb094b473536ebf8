"""What every transition leaves behind."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from service.storage.changes.revisions import stamp
from service.storage.tables.experiments import Trace

BLIND = {"synchronize_session": False}
"""Options of an UPDATE that need not look for rows which this session has read."""


def moved(session: Session, moves: Sequence[tuple[UUID, int]], transition: str, epoch: int | None = None) -> None:
    """Stamp the experiments, each given with its attempt, with the next revision; where tests ask for a trace, write a
    line of it for each. Call it last."""
    if session.info.get("trace"):
        session.add_all(Trace(experiment_id=id, attempt=attempt, transition=transition) for id, attempt in moves)
    stamp(session, [id for id, _ in moves], epoch=epoch)
