"""The tuning of learning rates: the best rate of each cell of a study, on validation images and seeds of its own."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from service.domain import factors
from service.domain.comparisons.cells import Factor
from service.domain.spec import ExperimentSubmission, hash_of
from service.domain.strict import StrictModel

RATE = "optimizer.learning_rate"
NOT_FRESH = "The ranking needs seeds that tuning has not seen"


class Tuning(StrictModel):
    """The rates to try in each cell, over seeds of their own; the cell's ranking runs with the best of them."""

    rates: Annotated[list[float], Field(min_length=2, max_length=50)] = Field(
        description="Learning rates to try.", examples=[[0.0003, 0.001, 0.003, 0.01]]
    )
    seeds: Annotated[list[int], Field(min_length=1, max_length=100)] = Field(
        [1000, 1001, 1002], description="Seeds to try them with; none of them is among the study's."
    )


class Trial(BaseModel):
    """A run at one rate. Figures are those of validation at the last epoch; None where it did not succeed."""

    model_config = ConfigDict(frozen=True)

    cell_hash: str
    rate: float
    seed: int
    diverged: bool
    accuracy: float | None
    loss: float | None


class RateScore(BaseModel):
    """The score of one rate in one cell."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    learning_rate: float
    n: int = Field(description="Seeds that succeeded.")
    n_diverged: int = Field(description="Seeds that diverged: one is enough to rule a rate out.")
    validation_accuracy: float | None = Field(description="Mean at the last epoch; a fraction.")
    validation_loss: float | None = Field(description="Mean at the last epoch, in nats.")


class Choice(BaseModel):
    """The rate that a cell is ranked with."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    factors: dict[str, Factor] = Field(description="Which cell.")
    learning_rate: float | None = Field(description="Null where no rate worked: the cell is not ranked.")
    at_edge: bool = Field(
        description="The best is the least or the greatest that was tried: a better one may lie beyond."
    )
    scores: list[RateScore]


def cell_hash(spec: Mapping[str, Any]) -> str:
    """Return the hash of a stored spec without seed and learning rate: the same for all trials of one cell."""
    return hash_of(factors.without(spec, ["seed", RATE]))


def choose(trials: Iterable[Trial]) -> tuple[float | None, list[RateScore]]:
    """Return the best rate of one cell's trials, None where none worked, and the score of every rate.

    The best has the highest mean validation accuracy, at equal ones the lower loss, then the smaller rate. A rate that
    diverged with any seed is out, as is one that never succeeded.
    """
    by_rate: dict[float, list[Trial]] = defaultdict(list)
    for trial in trials:
        by_rate[trial.rate].append(trial)
    scores = [_score(rate, by_rate[rate]) for rate in sorted(by_rate)]
    eligible = [(score.validation_accuracy, score.validation_loss, score) for score in scores if not score.n_diverged]
    ranked = [(-accuracy, loss, score.learning_rate) for accuracy, loss, score in eligible
              if accuracy is not None and loss is not None]  # fmt: skip
    return min(ranked)[2] if ranked else None, scores


def is_at_edge(rate: float | None, scores: Sequence[RateScore]) -> bool:
    tried = [score.learning_rate for score in scores]
    return rate is not None and rate in (min(tried), max(tried))


def ranked(
    submissions: Iterable[ExperimentSubmission], rates: Mapping[str, float | None]
) -> list[ExperimentSubmission]:
    """Return the submissions with the rates of their cells, `rates` by hash of cell; those of a cell without one are
    left out."""
    tuned = []
    for submission in submissions:
        rate = rates.get(cell_hash(submission.spec.model_dump(mode="json")))
        if rate is not None:
            optimizer = submission.optimizer.model_copy(update={"learning_rate": rate})
            tuned.append(submission.model_copy(update={"optimizer": optimizer}))
    return tuned


def _score(rate: float, trials: Sequence[Trial]) -> RateScore:
    measured = [(trial.accuracy, trial.loss) for trial in trials]
    accuracies = [accuracy for accuracy, loss in measured if accuracy is not None and loss is not None]
    losses = [loss for accuracy, loss in measured if accuracy is not None and loss is not None]
    return RateScore(
        learning_rate=rate,
        n=len(losses),
        n_diverged=sum(trial.diverged for trial in trials),
        validation_accuracy=_mean(accuracies),
        validation_loss=_mean(losses),
    )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
