"""Estimates of how long experiments take, from the pace of similar ones that have just been trained."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from service.domain.spec import ExperimentSpec


@dataclass(frozen=True)
class Pace:
    """The mean time of one experiment's epochs, in seconds, on one kind of device."""

    spec: ExperimentSpec
    seconds_an_epoch: float

    @property
    def images_a_second(self) -> float:
        return images(self.spec) / self.seconds_an_epoch


@dataclass(frozen=True)
class PlannedCell:
    """A cell that is to be trained: its spec, seed aside, and its number of experiments, one a seed.

    `epochs_done` are the epochs that its running experiments have done already, all together.
    """

    spec: ExperimentSpec
    experiments: int
    epochs_done: int = 0

    @property
    def images(self) -> int:
        """The images of all epochs that its experiments have still to do."""
        return max(0, self.experiments * self.spec.epochs - self.epochs_done) * images(self.spec)


@dataclass(frozen=True)
class Estimate:
    """The training time of all experiments, and the time until the last ends when the workers share them.

    Both are in seconds, and None where no pace is known. `basis` says what the estimate rests on.
    """

    train_seconds: float | None
    seconds: float | None
    basis: str


Likeness = Callable[[ExperimentSpec], str]
"""A key that is equal for specs that are alike."""

# From the most to the least alike. A pace on another network, on images of another shape or at another batch size is
# not used at all.
LIKENESSES: Mapping[str, Likeness] = {
    "of the same condition": lambda spec: spec.condition,
    "of the same network, batch size and activation": lambda spec: _key(spec, "model", "batch_size", "activation"),
    "of the same network and batch size": lambda spec: _key(spec, "model", "batch_size"),
}


def images(spec: ExperimentSpec) -> int:
    """Return the number of training images of one epoch.

    Classes are taken to be of equal size, which they nearly are.
    """
    dataset = spec.dataset_definition
    available = dataset.training_images - dataset.validation_images(spec.validation_fraction)
    of_classes = available * len(spec.labels) // dataset.classes
    return max(1, min(of_classes, spec.train_samples or of_classes))


def estimate(cells: Sequence[PlannedCell], paces: Iterable[Pace], workers: int) -> Estimate:
    """Estimate the time that so many workers take, each at the mean of the paces that are most alike."""
    experiments = sum(cell.experiments for cell in cells)
    if not experiments:
        return Estimate(0.0, 0.0, "There is nothing to train.")
    known = list(paces)
    tables = {words: _table(known, likeness) for words, likeness in LIKENESSES.items()}
    matches = [(cell, _most_alike(cell.spec, tables)) for cell in cells]
    unlike = sum(cell.experiments for cell, match in matches if match is None)
    if unlike or not workers:
        return Estimate(None, None, _why_none(unlike, experiments, len(known), workers))
    total = sum(cell.images / match.images_a_second for cell, match in matches if match)
    least_alike = max((match.words for _, match in matches if match), key=list(LIKENESSES).index)
    basis = f"The pace of recent epochs {least_alike}, on the kinds of device that live workers have."
    if any(cell.spec.early_stopping for cell in cells):
        basis += " Early stopping may end some sooner."
    return Estimate(total, total / min(workers, experiments), basis)


@dataclass(frozen=True)
class _Match:
    words: str
    images_a_second: float


def _table(paces: Iterable[Pace], likeness: Likeness) -> dict[str, float]:
    """Return the mean pace, in images a second, of the specs of each key."""
    by_key: dict[str, list[float]] = defaultdict(list)
    for pace in paces:
        by_key[likeness(pace.spec)].append(pace.images_a_second)
    return {key: sum(values) / len(values) for key, values in by_key.items()}


def _most_alike(spec: ExperimentSpec, tables: Mapping[str, Mapping[str, float]]) -> _Match | None:
    for words, table in tables.items():
        pace = table.get(LIKENESSES[words](spec))
        if pace is not None:
            return _Match(words, pace)
    return None


def _key(spec: ExperimentSpec, *fields: str) -> str:
    """Write these fields as text, with the shape of the images, which decides the shapes of all layers."""
    values = spec.model_dump(mode="json", include=set(fields)) | {"shape": spec.dataset_definition.shape}
    return json.dumps(values, sort_keys=True)


def _why_none(unlike: int, experiments: int, known: int, workers: int) -> str:
    if not workers:
        return "No worker is alive, so there is no device to estimate for."
    if not known:
        return "Nothing has been trained yet on the kinds of device that live workers have."
    return (
        f"Nothing alike (network and batch size) to {unlike} of the {experiments} experiments has been trained lately."
    )
