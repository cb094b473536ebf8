"""Shares of the training time: a study with the trials of its tuning is one, and an experiment of no study is one.

A share has a use of each priority: the seconds of the last hour in which workers had experiments of it, over all
attempts, however they ended. The use of an attempt that started before the hour begins with the hour. An experiment of
no study has no use: what its own attempts took before it was released or lost does not send it behind others.
"""

from typing import Any

from sqlalchemy import CTE, ColumnElement, Float, Select, and_, case, cast, func, literal, select, union_all

from service.domain.status import Status
from service.storage.engine.clock import after, seconds_between, seconds_since
from service.storage.tables.experiments import Attempt, Experiment
from service.storage.tables.studies import Study

PERIOD_SECONDS = 3600.0
UNKNOWN_SECONDS = 60.0
"""The length of an experiment where none has ended lately. Any positive length lets shares take turns."""


def share() -> ColumnElement[Any]:
    return func.coalesce(Study.tunes, Experiment.study_id, Experiment.id)


def used() -> CTE:
    """Select the use of each share and priority, with its running experiments and the ended attempts of the hour.

    Reads the running experiments and the attempts that ended within the hour, each by an index.
    """
    # In a query of its own, which PostgreSQL evaluates once: it uses no index for a function that is volatile.
    hour_ago = select(after(-PERIOD_SECONDS)).scalar_subquery()
    start = case((Attempt.started_at > hour_ago, Attempt.started_at), else_=hour_ago)
    lately = _attempts(_not_negative(seconds_between(start, Attempt.ended_at)), 0).where(Attempt.ended_at > hour_ago)
    current = and_(Experiment.status == Status.RUNNING, Experiment.attempt == Attempt.attempt)
    now = _attempts(_within(Attempt.started_at), 1).where(current)
    attempts = union_all(lately, now).subquery()
    ended = 1 - attempts.c.running
    return (
        select(
            attempts.c.share,
            attempts.c.priority,
            func.sum(attempts.c.seconds).label("seconds"),
            func.sum(attempts.c.running).label("running"),
            func.sum(ended).label("ended"),
            func.sum(attempts.c.seconds * ended).label("ended_seconds"),
        )
        .group_by(attempts.c.share, attempts.c.priority)
        .cte("used")
    )


def joined(query: Select[Any], used: CTE) -> Select[Any]:
    """Return a query of experiments with the use of the share of each, and with its study."""
    return (
        query.select_from(Experiment)
        .outerjoin(Study, Study.id == Experiment.study_id)
        .outerjoin(used, and_(used.c.share == share(), used.c.priority == Experiment.priority))
    )


def order(used: CTE) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Return what decides between shares: the time used, and where it is equal, the experiments that run."""
    in_study = Experiment.study_id.is_not(None)
    return case((in_study, func.coalesce(used.c.seconds, 0.0)), else_=0.0), func.coalesce(used.c.running, 0)


def mean_seconds(used: CTE) -> ColumnElement[Any]:
    """Return how long an experiment of the share takes: the mean of its ended attempts, else that of all shares."""
    every = select(_mean(func.sum(used.c.ended_seconds), func.sum(used.c.ended))).scalar_subquery()
    return func.coalesce(_mean(used.c.ended_seconds, used.c.ended), every, UNKNOWN_SECONDS)


def _mean(seconds: ColumnElement[Any], number: ColumnElement[Any]) -> ColumnElement[Any]:
    return seconds / func.nullif(cast(number, Float), 0.0)


def _attempts(seconds: ColumnElement[float], running: int) -> Select[Any]:
    return (
        select(
            share().label("share"),
            Experiment.priority.label("priority"),
            seconds.label("seconds"),
            literal(running).label("running"),
        )
        .select_from(Attempt)
        .join(Experiment, Experiment.id == Attempt.experiment_id)
        .outerjoin(Study, Study.id == Experiment.study_id)
    )


def _within(instant: Any) -> ColumnElement[float]:
    """Return the seconds from an instant until now; at most the whole period, and at least 0."""
    seconds = seconds_since(instant)
    return case((seconds > PERIOD_SECONDS, PERIOD_SECONDS), else_=_not_negative(seconds))


def _not_negative(seconds: ColumnElement[float]) -> ColumnElement[float]:
    """Return 0 for a negative number: the clock may have been set back."""
    return case((seconds < 0, 0.0), else_=seconds)
