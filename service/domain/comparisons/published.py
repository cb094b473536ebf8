"""The main article's published figures: per epoch and per activation, with their protocol and their defects."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from service.domain.choices import PublishedName

Column = Literal["train_loss", "train_accuracy", "test_loss", "test_accuracy"]


class Article(BaseModel):
    """The published runs, one per activation. Accuracies are fractions; losses, in nats per image, include the L2
    terms.

    Source: M. A. Kizrak, Comparison of Activation Functions for Deep Neural Networks (2019), the author's notebook.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: PublishedName
    source: str
    dataset: str
    epochs: int
    batch_size: int
    protocol: Mapping[str, Any]
    defects: list[str]  # of the experiment itself, in the author's protocol
    comparability: list[str]  # differences to take into account when our figures are set beside these
    columns: list[Column]
    curves: Mapping[str, list[list[float]]]  # by activation, as the catalogue names it: a row an epoch, as `columns`

    def curve(self, activation: str, column: Column) -> list[float]:
        """Return one figure after each epoch, from epoch 1."""
        place = self.columns.index(column)
        return [row[place] for row in self.curves[activation]]

    def final(self, activation: str) -> Mapping[Column, float]:
        """Return the row of the article's table: every figure after the last epoch."""
        return dict(zip(self.columns, self.curves[activation][-1], strict=True))


@cache
def article(name: PublishedName = "kizrak-2019") -> Article:
    """Return the published figures; the file is read once."""
    return Article.model_validate_json((files(__package__) / f"{name}.json").read_bytes())
