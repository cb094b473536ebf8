"""Count the broken promises in a database: experiments lost, ended twice, or written by a stale attempt."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.domain.results import EpochMetrics
from service.domain.status import Status
from service.storage.engine.database import Database
from service.storage.tables.epochs import Epoch
from service.storage.tables.experiments import Attempt, Experiment, Result, Trace

ENDS = {"succeed", "fail", "cancelled"}
BY_OTHERS = {"lose", "cancel"}  # transitions that are not made by a worker


@dataclass
class Verdict:
    """Counts over all experiments; every one but `accepted` and `terminal` should be 0."""

    accepted: int = 0
    terminal: int = 0
    doubled: int = 0  # ended twice, or two results
    stale: int = 0  # a write of an attempt after a newer one had claimed
    gaps: int = 0  # epochs missing or repeated
    open_attempts: int = 0
    longest_pause: float = 0.0  # s, from the first claim of an experiment to its end

    @property
    def clean(self) -> bool:
        return not (self.doubled or self.stale or self.gaps or self.open_attempts) and self.accepted == self.terminal


def judge(database: Database, before: Collection[UUID] = ()) -> Verdict:
    """Return the counts over all experiments except those that existed `before`."""
    verdict = Verdict()
    with database.read() as session:
        for row in session.scalars(select(Experiment)):
            if row.id not in before:
                _judge_one(session, row, verdict)
    return verdict


def _judge_one(session: Session, row: Experiment, verdict: Verdict) -> None:
    moves = session.execute(
        select(Trace.attempt, Trace.transition, Trace.at).where(Trace.experiment_id == row.id).order_by(Trace.seq)
    ).all()
    verdict.accepted += 1
    verdict.terminal += Status(row.status).terminal
    verdict.stale += _stale([(move.attempt, move.transition) for move in moves])
    worked = [move.at for move in moves if move.transition not in BY_OTHERS]
    verdict.longest_pause = max(verdict.longest_pause, _longest_pause(worked))
    verdict.doubled += max(0, sum(move.transition in ENDS for move in moves) - 1)
    if row.status == Status.SUCCEEDED:
        epochs = session.scalars(select(Epoch.epoch).where(Epoch.experiment_id == row.id).order_by(Epoch.epoch)).all()
        verdict.gaps += list(epochs) != list(range(1, row.spec["epochs"] + 1))
        verdict.doubled += len(session.scalars(select(Result).where(Result.experiment_id == row.id)).all()) != 1
    if row.status != Status.RUNNING:
        unended = select(Attempt).where(Attempt.experiment_id == row.id, Attempt.outcome.is_(None))
        verdict.open_attempts += len(session.scalars(unended).all())


def _stale(moves: list[tuple[int, str]]) -> int:
    """Return the number of writes of an attempt after a newer one had claimed."""
    newest = stale = 0
    for attempt, transition in moves:
        if transition == "claim":
            newest = max(newest, attempt)
        stale += attempt < newest
    return stale


def _longest_pause(times: Sequence[datetime]) -> float:
    return max((float((after - before).total_seconds()) for before, after in pairwise(times)), default=0.0)


def figures(database: Database, id: str) -> list[dict[str, Any]]:
    """Return the figures of each epoch without its timings."""
    names = [name for name in EpochMetrics.model_fields if name not in ("seconds", "images_per_second")]
    with database.read() as session:
        rows = session.scalars(select(Epoch).where(Epoch.experiment_id == UUID(id)).order_by(Epoch.epoch)).all()
    return [{name: getattr(row, name) for name in names} for row in rows]
