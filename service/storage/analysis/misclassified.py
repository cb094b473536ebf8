"""Which test images networks get wrong, from the bits that each result keeps: one an image, in the order of the set."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.domain.comparisons.cells import Factors, key
from service.domain.comparisons.refusals import OtherImages, TooManyResults, UnknownGroup
from service.storage.analysis import comparisons
from service.storage.analysis.comparisons import CORRECT_BITS, MOST_IMAGE_RESULTS, unpacked
from service.storage.records.experiments import Filter
from service.storage.tables.experiments import Experiment, Result

Bits = NDArray[np.bool_]


@dataclass(frozen=True)
class Image:
    """A test image by its place in the set, and in how many seeds of either group it is classified rightly."""

    index: int
    a_correct: int
    b_correct: int


@dataclass(frozen=True)
class Difference:
    """Images that a gets right and b does not, the clearest first, and the seeds of both groups that have a result."""

    images: Sequence[Image]
    n_a: int
    n_b: int
    test_images: int


def wrong(result: Result, which: str) -> tuple[list[int], int]:
    """The places of the images that a result gets wrong, and how many images the set has."""
    bits = unpacked(result.last_correct if which == "last" else result.best_correct, result.confusion_matrix)
    return [int(index) for index in np.flatnonzero(~bits)], len(bits)


def difference(
    session: Session, narrowed: Filter, group_by: Sequence[str], a: Factors, b: Factors, *, allow_mixed: bool
) -> Difference:
    """Images that most seeds of group a get right and most seeds of group b get wrong, by the last epoch's weights.
    Invalid where there is no such group, or too many results to read for one answer."""
    _refuse_other_images(a, b)
    gathered = comparisons.gather(session, narrowed, "test_accuracy", group_by, allow_mixed=allow_mixed)
    held = {key(cell.factors): len(cell.values) + cell.n_duplicate for cell in gathered.cells}
    for name, group in (("a", a), ("b", b)):
        if key(group) not in held:
            reason = f"There is no group {dict(group)} among these experiments"
            raise UnknownGroup(reason, name, dict(group))
    if held[key(a)] + held[key(b)] > MOST_IMAGE_RESULTS:
        reason = f"Groups of more than {MOST_IMAGE_RESULTS} results together are too many; narrow the filter"
        raise TooManyResults(reason)
    return _between(_bits(session, narrowed, gathered.factors, a), _bits(session, narrowed, gathered.factors, b))


def _refuse_other_images(a: Factors, b: Factors) -> None:
    for path in ("dataset", "classes"):
        if a.get(path) != b.get(path):
            reason = f"The groups differ in {path}, so that they were not scored on the same images"
            raise OtherImages(reason, b.get(path))


def _between(a: Sequence[Bits], b: Sequence[Bits]) -> Difference:
    if not a or not b:
        return Difference([], len(a), len(b), len(a[0]) if a else len(b[0]) if b else 0)
    right_a, right_b = np.sum(a, axis=0), np.sum(b, axis=0)
    found = np.flatnonzero((2 * right_a > len(a)) & (2 * right_b < len(b)))
    images = [Image(int(index), int(right_a[index]), int(right_b[index])) for index in found]
    images.sort(key=lambda image: (image.b_correct / len(b) - image.a_correct / len(a), image.index))
    return Difference(images, len(a), len(b), len(right_a))


def _bits(session: Session, narrowed: Filter, named: Any, group: Factors) -> list[Bits]:
    """One row of bits for each seed; of several results of one seed the newest stands, as in its cell."""
    conditions = [condition for condition, factors in named.items() if key(factors) == key(group)]
    columns = (Experiment.seed, CORRECT_BITS["test_accuracy"].label("bits"), Result.confusion_matrix)
    joined = select(*columns).join(Result, Result.experiment_id == Experiment.id)
    within = (*narrowed.conditions(), Experiment.condition.in_(conditions))
    by_seed = {row.seed: unpacked(row.bits, row.confusion_matrix)
               for row in session.execute(joined.where(*within).order_by(Experiment.id))}  # fmt: skip
    return list(by_seed.values())
