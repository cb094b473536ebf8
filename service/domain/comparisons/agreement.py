"""Agreement of a study's own test accuracies with the article's."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.domain.comparisons.cells import Cell
from service.domain.comparisons.published import Article
from service.domain.statistics.summary import Interval, describe, prediction_interval, within

GATE = 0.005
"""The largest difference at which a mean agrees with the article's single run: half a percentage point."""


@dataclass(frozen=True)
class Agreement:
    """The test accuracy of one activation after the last epoch beside the published one, as fractions.

    `prediction` is the interval in which one more run of one's own would fall with 95 % probability (mean +- t * sd *
    sqrt(1 + 1 / n)); None for fewer than two seeds.
    """

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
        """True if the article's run lies in the prediction interval; None without an interval."""
        return None if self.prediction is None else self.prediction[0] <= self.published <= self.prediction[1]


def agreement(cells: Sequence[Cell], article: Article) -> list[Agreement]:
    """Compare the activations that both have, in the article's order.

    `cells` hold test accuracies. A cell counts only if activation is its one factor: with a second factor it is not
    clear which cell to compare.
    """
    values = {str(cell.factors["activation"]): list(cell.values.values()) for cell in cells
              if cell.factors.keys() == {"activation"} and cell.values}  # fmt: skip
    return [_agreement_of(name, article, values[name]) for name in article.curves if name in values]


def _agreement_of(activation: str, article: Article, values: Sequence[float]) -> Agreement:
    mean = describe(values).mean or 0.0
    published = article.final(activation)["test_accuracy"]
    prediction = within(prediction_interval(values), 0.0, 1.0)
    return Agreement(activation, published, mean, len(values), prediction)
