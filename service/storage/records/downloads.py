"""Records of downloads that failed: one for each data set and machine, until the machine has the data set.

The workers of a machine try it once in each delay, whatever the number of experiments that wait for it.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, case, delete, select, update
from sqlalchemy.orm import Session

from service.storage.engine.clock import after, now
from service.storage.engine.unit_of_work import BLIND
from service.storage.engine.upsert import insert
from service.storage.tables.downloads import FailedDownload

DELAYS_SECONDS = (60.0, 120.0, 240.0, 480.0, 600.0)
"""The time to the next attempt after each failure in a row; after later ones, the last of these."""
FORGET_SECONDS = 86_400.0
"""The time after which a download that nobody has tried again counts as never tried."""


def record(session: Session, dataset: str, machine: str, reason: str) -> None:
    """Record that a download failed, and set the time of the next attempt.

    While an attempt is to come, nothing changes: another worker of the machine has just recorded the same.
    """
    session.execute(delete(FailedDownload).where(FailedDownload.retry_at < after(-FORGET_SECONDS)))
    first = {"dataset": dataset, "machine": machine, "reason": reason, "retry_at": after(DELAYS_SECONDS[0])}
    added = insert(session, FailedDownload).values(first).on_conflict_do_nothing().returning(FailedDownload.dataset)
    if session.execute(added).one_or_none() is None:
        session.execute(
            update(FailedDownload)
            .where(_is(dataset, machine), ~is_waiting())
            .values(failures=FailedDownload.failures + 1, reason=reason, retry_at=after(_next_delay())),
            execution_options=BLIND,
        )


def _next_delay() -> ColumnElement[float]:
    """Return the delay after one more failure, in seconds."""
    return case(dict(enumerate(DELAYS_SECONDS)), value=FailedDownload.failures, else_=DELAYS_SECONDS[-1])


def forget(session: Session, dataset: str, machine: str) -> None:
    """Delete the record of a data set that the machine has now."""
    session.execute(delete(FailedDownload).where(_is(dataset, machine)), execution_options=BLIND)


def retry_now(session: Session, machine: str) -> None:
    """Let a machine try its failed downloads at once: a worker has started there, perhaps with another proxy."""
    due = update(FailedDownload).where(FailedDownload.machine == machine).values(retry_at=now())
    session.execute(due, execution_options=BLIND)


def reason_to_wait(session: Session, dataset: str, machine: str) -> str | None:
    """Return why a machine should not try a download yet; None where it may."""
    return session.scalar(select(FailedDownload.reason).where(_is(dataset, machine), is_waiting()))


def waiting(session: Session) -> Sequence[FailedDownload]:
    """Return the downloads that are not to be tried again yet, the next one first."""
    return session.scalars(select(FailedDownload).where(is_waiting()).order_by(FailedDownload.retry_at)).all()


def is_waiting() -> ColumnElement[bool]:
    """Return the condition that a download is not to be tried again yet."""
    # A time that is further ahead than any delay was set before the clock was set back.
    return and_(FailedDownload.retry_at > now(), FailedDownload.retry_at <= after(DELAYS_SECONDS[-1]))


def _is(dataset: str, machine: str) -> ColumnElement[bool]:
    return and_(FailedDownload.dataset == dataset, FailedDownload.machine == machine)
