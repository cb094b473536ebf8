"""The spread of test accuracy between the seeds of conditions that have been trained."""

import math
from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.domain.status import Status
from service.storage.tables.experiments import Experiment

FEWEST_SEEDS = 3
"""Seeds of a condition from which its spread is used."""

MOST_CONDITIONS = 500
"""Conditions whose runs are read; of more, these stand for all."""


ROUNDING = 1e-14
"""A variance up to which seeds agree: the difference of two rounded squares below 1."""


def spreads(session: Session, conditions: Collection[str]) -> dict[str, float]:
    """Return the sd (n - 1) of the test accuracy over seeds, by condition; one query.

    Conditions with fewer than FEWEST_SEEDS seeds, and those whose seeds all agree, are left out.
    """
    accuracy = func.avg(Experiment.test_accuracy).label("accuracy")  # of a seed that was trained several times
    seeds = (
        select(Experiment.condition, Experiment.seed, accuracy)
        .where(Experiment.condition.in_(list(conditions)[:MOST_CONDITIONS]), Experiment.status == Status.SUCCEEDED)
        .group_by(Experiment.condition, Experiment.seed)
        .subquery()
    )
    n, mean = func.count(), func.avg(seeds.c.accuracy)
    mean_square = func.avg(seeds.c.accuracy * seeds.c.accuracy)
    query = select(seeds.c.condition, n, mean, mean_square).group_by(seeds.c.condition).having(n >= FEWEST_SEEDS)
    variances = {
        condition: (float(square) - float(mean) ** 2) * n / (n - 1)
        for condition, n, mean, square in session.execute(query)
    }
    return {condition: math.sqrt(variance) for condition, variance in variances.items() if variance > ROUNDING}
