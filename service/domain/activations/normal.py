"""Compute the mean of a function of a standard normal variable."""

from collections.abc import Callable

import numpy as np

from service.domain.formulas.evaluation import Array

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(20)
_START = np.arange(-12, 12, 0.25)  # left ends of the first intervals; beyond, the density is below 1e-31
_MOST_HALVINGS = 45
_MOST_INTERVALS = 5000
_TOLERANCE = 1e-11  # largest difference of two estimates of one interval, relative to the mean
_LARGEST_END = 1e-6  # largest share of the two outermost intervals, so that what lies beyond them is negligible


@np.errstate(all="ignore")
def mean_of_normal(f: Callable[[Array], Array]) -> float | None:
    """Return E f(Z) for Z ~ N(0, 1); None where it is not finite or does not converge, as next to a pole.

    Gauss-Legendre quadrature with 20 nodes on intervals of 0.25 from -12 to 12. An interval is halved until the sum
    over its halves agrees with it, so that kinks and jumps are enclosed in small intervals.
    """
    left, width, total = _START, 0.25, 0.0
    for _ in range(_MOST_HALVINGS):
        whole = _integrals(f, left, width)
        halves = _integrals(f, left, width / 2) + _integrals(f, left + width / 2, width / 2)
        unsettled = ~(np.abs(whole - halves) <= _TOLERANCE * max(1.0, abs(total)))
        total += float(halves[~unsettled].sum())
        if not unsettled.any():
            return total if _ends_are_negligible(f, total) else None
        left, width = np.concatenate([left[unsettled], left[unsettled] + width / 2]), width / 2
        if len(left) > _MOST_INTERVALS:  # f varies too fast for a network to be trained with it
            return None
    return None


def _ends_are_negligible(f: Callable[[Array], Array], total: float) -> bool:
    ends = np.abs(_integrals(f, _START[[0, -1]], 0.25)).sum()
    return bool(ends <= _LARGEST_END * max(1.0, abs(total)))


def _integrals(f: Callable[[Array], Array], left: Array, width: float) -> Array:
    """Return the integral of f times the density over each interval, by its left end and width."""
    x = left[:, None] + width * (_NODES + 1) / 2
    values: Array = f(x.ravel()).reshape(x.shape) * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    return values @ _WEIGHTS * width / 2
