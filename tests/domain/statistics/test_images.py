"""The bootstrap over test images: against scipy's, against the normal law, and at its edges."""

import math

import numpy as np
import pytest
from scipy import stats

from service.domain.statistics.images import image_interval


def networks(seeds: int, images: int, accuracy: float) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Return the images that each network classifies correctly; hard images are hard for all networks."""
    rng = np.random.default_rng(seeds)
    easiness = rng.beta(8 * accuracy, 8 * (1 - accuracy), size=images)
    correct: np.ndarray[tuple[int, int], np.dtype[np.bool_]] = rng.random((seeds, images)) < easiness
    return correct


@pytest.mark.parametrize("seeds", [1, 3, 10])
def test_image_interval_against_scipy(seeds: int) -> None:
    correct = networks(seeds, 400, 0.9)
    expected = stats.bootstrap(
        (correct.mean(axis=0),), np.mean, method="percentile", n_resamples=9_999, rng=np.random.default_rng(1)
    ).confidence_interval
    width = expected.high - expected.low
    assert image_interval(correct) == pytest.approx((expected.low, expected.high), abs=0.05 * width)


def test_image_interval_of_one_network_is_binomial() -> None:
    correct = networks(1, 10_000, 0.98)
    accuracy = float(correct.mean())
    half = 1.959964 * math.sqrt(accuracy * (1 - accuracy) / 10_000)
    assert image_interval(correct) == pytest.approx((accuracy - half, accuracy + half), abs=0.05 * half)


def test_image_interval_of_agreeing_seeds_is_that_of_one() -> None:
    correct = networks(1, 1_000, 0.9)
    assert image_interval(np.repeat(correct, 5, axis=0)) == image_interval(correct)


def test_image_interval_is_independent_of_order_and_repetition() -> None:
    correct = networks(4, 500, 0.9)
    assert image_interval(correct[::-1, ::-1]) == image_interval(correct)


def test_image_interval_edges() -> None:
    assert image_interval(np.ones((3, 50), dtype=np.bool_)) == (1.0, 1.0)
    assert image_interval(np.zeros((3, 50), dtype=np.bool_)) == (0.0, 0.0)
    assert image_interval(np.zeros((0, 50), dtype=np.bool_)) is None
    assert image_interval(np.zeros((3, 0), dtype=np.bool_)) is None
