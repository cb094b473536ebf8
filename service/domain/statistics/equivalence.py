"""Margins within which a difference of two means does not matter, and the tests that it lies within one."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from service.domain.statistics.summary import Floats


@dataclass(frozen=True)
class Margin:
    """The largest difference that does not matter: in the unit of the values, or where `relative` as a share.

    A relative margin of 0.05 lets the mean of a lie between 1 / 1.05 and 1.05 times that of b, so that it is the same
    from both sides. Values with such a margin are positive.
    """

    value: float
    relative: bool = False

    @property
    def factors(self) -> tuple[float, float]:
        """The ratios of the means at the two ends of the margin: 1 and 1 for one that is not relative."""
        return (1 / (1 + self.value), 1 + self.value) if self.relative else (1.0, 1.0)

    @property
    def shift(self) -> float:
        """The difference at the ends of the margin: 0 for a relative one."""
        return 0.0 if self.relative else self.value

    def half_width(self, mean: float) -> float:
        """Return the margin in the unit of the values, beside a group of this mean."""
        return self.value * abs(mean) if self.relative else self.value


def one_sided_p(distance: Floats, error: Floats, freedom: Floats, p_attainable: Floats) -> Floats:
    """Return the one-sided p that a mean lies `distance` inside an end of the margin, by Student's t.

    Without an error the p is `p_attainable` inside the end and 1 outside. The larger p of both ends is that of the two
    one-sided tests (TOST; Schuirmann 1987).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        p = special.stdtr(freedom, -distance / error)
    return np.where(error == 0, np.where(distance > 0, p_attainable, 1.0), p)
