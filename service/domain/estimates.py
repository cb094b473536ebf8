"""How long experiments will take, from how fast alike ones have just been."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from service.domain.spec import ExperimentSpec


@dataclass(frozen=True)
class Pace:
    """How long the epochs of one experiment took, in seconds each, on one kind of device."""

    spec: ExperimentSpec
    seconds_an_epoch: float

    @property
    def images_a_second(self) -> float:
        return images(self.spec) / self.seconds_an_epoch


@dataclass(frozen=True)
class Estimate:
    """Training time of all, and until the last ends when the workers share them; None where nothing is known."""

    train_seconds: float | None
    seconds: float | None
    basis: str


Likeness = Callable[[ExperimentSpec], str]

# From the closest to the farthest that still says something: another network, another shape of images or another batch
# size says nothing.
LIKENESSES: Mapping[str, Likeness] = {
    "of the same condition": lambda spec: spec.condition,
    "of the same network, batch size and activation": lambda spec: _spelled(spec, "model", "batch_size", "activation"),
    "of the same network and batch size": lambda spec: _spelled(spec, "model", "batch_size"),
}


def images(spec: ExperimentSpec) -> int:
    """Return the training images of one epoch; of some of the classes, in proportion."""
    dataset = spec.dataset_definition
    available = dataset.training_images - dataset.validation_images(spec.validation_fraction)
    of_classes = available * len(spec.labels) // dataset.classes
    return max(1, min(of_classes, spec.train_samples or of_classes))


@dataclass(frozen=True)
class Wanted:
    """One cell: its spec, seed aside, and how many seeds it has."""

    spec: ExperimentSpec
    experiments: int

    @property
    def images(self) -> int:
        return self.experiments * self.spec.epochs * images(self.spec)


def estimate(wanted: Sequence[Wanted], paces: Iterable[Pace], workers: int) -> Estimate:
    """The time that `wanted` take on so many workers, each at the mean pace of the most alike of `paces`."""
    number = sum(each.experiments for each in wanted)
    if not number:
        return Estimate(0.0, 0.0, "There is nothing to train.")
    known = list(paces)
    tables = {words: _table(known, likeness) for words, likeness in LIKENESSES.items()}
    found = [(each, _closest(each.spec, tables)) for each in wanted]
    unlike = sum(each.experiments for each, alike in found if alike is None)
    if unlike or not workers:
        return Estimate(None, None, _why_none(unlike, number, len(known), workers))
    total = sum(each.images / alike.images_a_second for each, alike in found if alike)
    farthest = max((alike.words for _, alike in found if alike), key=list(LIKENESSES).index)
    basis = f"The pace of recent epochs {farthest}, on the kinds of device that live workers have."
    if any(each.spec.early_stopping for each in wanted):
        basis += " Early stopping may end some sooner."
    return Estimate(total, total / min(workers, number), basis)


@dataclass(frozen=True)
class _Alike:
    words: str
    images_a_second: float


def _table(paces: Iterable[Pace], likeness: Likeness) -> dict[str, float]:
    found: dict[str, list[float]] = defaultdict(list)
    for pace in paces:
        found[likeness(pace.spec)].append(pace.images_a_second)
    return {key: sum(values) / len(values) for key, values in found.items()}


def _closest(spec: ExperimentSpec, tables: Mapping[str, Mapping[str, float]]) -> _Alike | None:
    for words, table in tables.items():
        pace = table.get(LIKENESSES[words](spec))
        if pace is not None:
            return _Alike(words, pace)
    return None


def _spelled(spec: ExperimentSpec, *fields: str) -> str:
    """Write these fields and the shape of an image, which decides the shapes of all layers, as text."""
    values = spec.model_dump(mode="json", include=set(fields)) | {"shape": spec.dataset_definition.shape}
    return json.dumps(values, sort_keys=True)


def _why_none(unlike: int, wanted: int, known: int, workers: int) -> str:
    if not workers:
        return "No worker is alive, so there is no device to estimate for."
    if not known:
        return "Nothing has been trained yet on the kinds of device that live workers have."
    return f"Nothing alike (network and batch size) to {unlike} of the {wanted} experiments has been trained lately."
