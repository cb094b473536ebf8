"""Made runs that claims are judged by."""

import random
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from service.domain.article_claims.answer import ArticleClaim
from service.domain.article_claims.observations import Observations, Observed, fields
from service.domain.article_claims.verdicts import RULES
from service.domain.spec import ExperimentSpec
from service.domain.status import Status

START = datetime(2026, 1, 15, tzinfo=UTC)


class Runs(list[Observed]):
    """Made runs: one a seed, each a minute after the one before."""

    def add(self, spec: Mapping[str, Any], seeds: Iterable[int] = range(5), **figures: Any) -> "Runs":
        """Add a run for each seed. Figures are values, or functions of the seed."""
        of_spec = fields(ExperimentSpec.model_validate(dict(spec)).model_dump(mode="json"))
        for seed in seeds:
            began = START + timedelta(minutes=seed)
            known: dict[str, Any] = {
                "id": UUID(int=len(self)).hex, "seed": seed, "status": Status.SUCCEEDED, "machine": ("cpu", "f32", "1"),
                "started": began, "finished": began + timedelta(seconds=90), "epochs": 1, "unmeasured": True,
            }  # fmt: skip
            own = {name: value(seed) if callable(value) else value for name, value in figures.items()}
            self.append(Observed(**{**known, **own}, fields=of_spec))
        return self

    def claim(self, number: int) -> ArticleClaim:
        return RULES[number - 1](Observations(self))


def noisy(mean: float, sd: float = 0.001, salt: int = 0) -> Callable[[int], float]:
    """Return a function that gives each seed a figure; one seed gives different figures with different salts."""
    return lambda seed: random.Random(1000 * salt + seed).gauss(mean, sd)
