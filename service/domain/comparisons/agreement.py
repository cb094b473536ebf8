"""One's own test accuracies beside the article's."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.domain.comparisons.cells import Cell
from service.domain.comparisons.published import Article
from service.domain.statistics.summary import Interval, describe, prediction_interval

GATE = 0.005
"""Half a percentage point: nearer than this, a mean agrees with the article's single run."""


@dataclass(frozen=True)
class Agreement:
    """One activation: test accuracy after the last epoch, as fractions. `prediction` is where one more run of one's own
    would fall with 95 % probability (mean +- t * sd * sqrt(1 + 1 / n)); None for fewer than two seeds."""

    activation: str
    published: float
    mean: float
    n: int
    prediction: Interval | None

    @property
    def difference(self) -> float:
        return self.mean - self.published

    @property
    def within_gate(self) -> bool:
        return abs(self.difference) <= GATE

    @property
    def predicted(self) -> bool | None:
        """Whether the article's run could be one of one's own; None where that cannot be said."""
        return None if self.prediction is None else self.prediction[0] <= self.published <= self.prediction[1]


def agreement(cells: Sequence[Cell], article: Article) -> list[Agreement]:
    """Of the activations that both have, in the article's order. `cells` hold test accuracies and differ in activation
    alone; any other factor leaves it open which of them to take, and none is."""
    values = {str(cell.factors["activation"]): list(cell.values.values()) for cell in cells
              if cell.factors.keys() == {"activation"} and cell.values}  # fmt: skip
    return [_one(name, article, values[name]) for name in article.curves if name in values]


def _one(activation: str, article: Article, values: Sequence[float]) -> Agreement:
    mean = describe(values).mean or 0.0
    published = article.final(activation)["test_accuracy"]
    return Agreement(activation, published, mean, len(values), prediction_interval(values))
