"""The other uncertainty of an accuracy: it was measured on some test images and not on all that there could be."""

import numpy as np
from numpy.typing import NDArray

from service.domain.statistics.summary import Interval

RESAMPLES = 9_999
SEED = 2019
"""Fixed, so that a comparison asked for twice is answered the same."""


def image_interval(correct: NDArray[np.bool_], confidence: float = 0.95) -> Interval | None:
    """Percentile bootstrap (Efron 1979) over test images of the mean accuracy of one group's trained networks.

    `correct` is seeds x images, over the same images for each seed. An image drawn is drawn for all seeds: it has the
    share of them that got it right, and a resample's accuracy is the mean of the shares drawn. Images of equal share
    are alike, so that what is drawn is how many of each (multinomial), which is the same distribution at a hundredth
    of the cost. It says how the figure of *these* networks would move on other images of the same kind; the t interval
    over seeds says how that of other networks would move on these images. None without seeds or images.
    """
    seeds, images = correct.shape
    if not seeds or not images:
        return None
    right, alike = np.unique(correct.sum(axis=0, dtype=np.int64), return_counts=True)
    drawn = np.random.default_rng(SEED).multinomial(images, alike / images, size=RESAMPLES)
    means = drawn @ (right / seeds) / images
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
