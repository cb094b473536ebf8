"""The uncertainty of an accuracy that comes from the choice of test images."""

import numpy as np
from numpy.typing import NDArray

from service.domain.statistics.summary import Interval

RESAMPLES = 9_999
SEED = 2019
"""Fixed, so that a comparison asked for twice is answered the same."""


def image_interval(correct: NDArray[np.bool_], confidence: float = 0.95) -> Interval | None:
    """Return a percentile bootstrap interval (Efron 1979) over test images of the mean accuracy of one group's
    networks.

    `correct` is seeds x images, over the same images for each seed. An image is drawn for all seeds together: its value
    is the share of seeds that classified it correctly, and a resample's accuracy is the mean of the values drawn.
    Images of equal value are interchangeable, so the number of each is drawn (multinomial), which is the same
    distribution at a hundredth of the cost. The interval says where the accuracy of *these* networks would lie on other
    images of the same kind; the t interval over seeds says where that of other networks would lie on these images. None
    without seeds or images.
    """
    seeds, images = correct.shape
    if not seeds or not images:
        return None
    correct_seeds, counts = np.unique(correct.sum(axis=0, dtype=np.int64), return_counts=True)
    draws = np.random.default_rng(SEED).multinomial(images, counts / images, size=RESAMPLES)
    means = draws @ (correct_seeds / seeds) / images
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
