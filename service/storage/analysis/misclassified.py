"""Misclassified test images, from the correctness bits of results: one bit an image, in the order of the set."""

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
    """A test image by its place in the set, with the number of seeds of each group that classify it correctly."""

    index: int
    a_correct: int
    b_correct: int


@dataclass(frozen=True)
class Difference:
    """Images that group a classifies correctly and b does not, the clearest first, and the seeds of both groups."""

    images: Sequence[Image]
    n_a: int
    n_b: int
    test_images: int


def wrong(result: Result, which: str) -> tuple[list[int], int]:
    """Return the places of the images that a result classifies wrongly, and the number of images in the set."""
    bits = unpacked(result.last_correct if which == "last" else result.best_correct, result.confusion_matrix)
    return [int(index) for index in np.flatnonzero(~bits)], len(bits)


def difference(
    session: Session, filters: Filter, group_by: Sequence[str], a: Factors, b: Factors, *, allow_mixed: bool
) -> Difference:
    """Return the images that most seeds of group a classify correctly and most of b wrongly, by the last weights.

    Raises OtherImages for groups of different test images, UnknownGroup, TooManyResults, and what a comparison raises.
    """
    _refuse_other_images(a, b)
    gathered = comparisons.gather(session, filters, "test_accuracy", group_by, allow_mixed=allow_mixed)
    results = {key(cell.factors): len(cell.values) + cell.n_duplicate for cell in gathered.cells}
    for side, group in (("a", a), ("b", b)):
        if key(group) not in results:
            raise UnknownGroup(side, group)
    if results[key(a)] + results[key(b)] > MOST_IMAGE_RESULTS:
        raise TooManyResults(MOST_IMAGE_RESULTS)
    return _between(_bits(session, filters, gathered.factors, a), _bits(session, filters, gathered.factors, b))


def _refuse_other_images(a: Factors, b: Factors) -> None:
    for path in ("dataset", "classes"):
        if a.get(path) != b.get(path):
            raise OtherImages(path, b.get(path))


def _between(a: Sequence[Bits], b: Sequence[Bits]) -> Difference:
    if not a or not b:
        return Difference([], len(a), len(b), len(a[0]) if a else len(b[0]) if b else 0)
    right_a, right_b = np.sum(a, axis=0), np.sum(b, axis=0)
    places = np.flatnonzero((2 * right_a > len(a)) & (2 * right_b < len(b)))
    images = [Image(int(index), int(right_a[index]), int(right_b[index])) for index in places]
    images.sort(key=lambda image: (image.b_correct / len(b) - image.a_correct / len(a), image.index))
    return Difference(images, len(a), len(b), len(right_a))


def _bits(session: Session, filters: Filter, named: Any, group: Factors) -> list[Bits]:
    """Return the bits of one result for each seed: the newest, as in its cell."""
    conditions = [condition for condition, factors in named.items() if key(factors) == key(group)]
    columns = (Experiment.seed, CORRECT_BITS["test_accuracy"].label("bits"), Result.confusion_matrix)
    joined = select(*columns).join(Result, Result.experiment_id == Experiment.id)
    within = (*filters.conditions(), Experiment.condition.in_(conditions))
    by_seed = {row.seed: unpacked(row.bits, row.confusion_matrix)
               for row in session.execute(joined.where(*within).order_by(Experiment.id))}  # fmt: skip
    return list(by_seed.values())
