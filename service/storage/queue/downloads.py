"""Data sets that cannot be downloaded now: which experiments wait for them, and how long.

A download that failed in a way that may pass holds back the experiments of its data set on that machine until it is
tried again. They go on waiting, without attempts of their own, until one succeeds or their patience is over.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, or_, select, true
from sqlalchemy.orm import Session

from service.storage.engine.clock import after, seconds_since
from service.storage.queue.leases import Fence
from service.storage.records import downloads, workers
from service.storage.tables.downloads import FailedDownload
from service.storage.tables.experiments import Experiment


@dataclass(frozen=True)
class Machine:
    """A machine that claims: its hostname, the data sets that its worker `has` in memory, and the time for which an
    experiment waits for another one at most."""

    hostname: str
    has: Collection[str] = ()
    patience_seconds: float = 0.0


@dataclass(frozen=True)
class Unavailable:
    """A data set that no live worker can get now, the reason, and the time until it is tried again."""

    dataset: str
    reason: str
    retry_seconds: float


def trainable(session: Session, machine: Machine) -> ColumnElement[bool]:
    """Return the condition that a machine may claim an experiment: it has the data set, or may try to get it.

    An experiment that has waited for its whole patience may be claimed too, and then fails.
    """
    held_back = [
        download
        for download in downloads.waiting(session)
        if download.machine == machine.hostname and download.dataset not in machine.has
    ]
    return and_(
        true(),
        *(
            or_(Experiment.dataset != download.dataset, _is_over(session, download.dataset, machine))
            for download in held_back
        ),
    )


def record_failure(session: Session, fence: Fence, machine: Machine, dataset: str, reason: str) -> bool:
    """Record that the download for an experiment failed; return whether the patience of the experiment is over."""
    downloads.record(session, dataset, machine.hostname, reason)
    over = select(Experiment.id).where(Experiment.id == fence.id, _is_over(session, dataset, machine))
    return session.scalar(over) is not None


def _is_over(session: Session, dataset: str, machine: Machine) -> ColumnElement[bool]:
    """Return the condition that an experiment has waited for its data set for the whole patience, and that each live
    machine has failed to get it.

    It waits from the first failure on, or from its submission if that came later.
    """
    failed = select(FailedDownload.machine).where(FailedDownload.dataset == dataset)
    if workers.hostnames(session) - {machine.hostname} - set(session.scalars(failed)):
        return ~true()
    long_ago = after(-machine.patience_seconds)
    since = select(FailedDownload.since).where(
        FailedDownload.dataset == dataset, FailedDownload.machine == machine.hostname
    )
    return and_(Experiment.created_at <= long_ago, since.scalar_subquery() <= long_ago)


_WAITING = (
    select(FailedDownload, (-seconds_since(FailedDownload.retry_at)).label("seconds"))
    .where(downloads.is_waiting())
    .order_by(FailedDownload.retry_at.desc())
)


def unavailable(session: Session) -> dict[str, Unavailable]:
    """Return the data sets that no live worker can get now, by name; none where no worker is alive."""
    rows = session.execute(_WAITING).all()
    if not rows:
        return {}
    alive = workers.hostnames(session)
    failed = {row.FailedDownload.dataset: set[str]() for row in rows}
    answers: dict[str, Unavailable] = {}
    for row in rows:
        download: FailedDownload = row.FailedDownload
        if download.machine in alive:
            failed[download.dataset].add(download.machine)
            answers[download.dataset] = Unavailable(download.dataset, download.reason, row.seconds)
    return {dataset: answer for dataset, answer in answers.items() if failed[dataset] == alive}
