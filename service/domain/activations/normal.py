"""The mean of a function of a standard normal variable."""

from collections.abc import Callable

import numpy as np

from service.domain.formulas.evaluation import Array

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(20)
_START = np.arange(-12, 12, 0.25)  # the density beyond is below 1e-31
_MOST_HALVINGS = 45
_AGREES = 1e-11  # of two estimates of one piece, against the whole
_FADED = 1e-6  # what the outermost pieces may hold of it, so that what lies beyond them holds nothing


@np.errstate(all="ignore")
def mean_of_normal(f: Callable[[Array], Array]) -> float | None:
    """E f(Z) for Z ~ N(0, 1); None where it is not finite or does not settle, as next to a pole.

    Gauss-Legendre on quarters from -12 to 12, each halved for as long as its halves disagree with it: kinks and jumps
    anywhere are found and fenced in.
    """
    left, width, total = _START, 0.25, 0.0
    for _ in range(_MOST_HALVINGS):
        whole, halves = _pieces(f, left, width), _pieces(f, left, width / 2) + _pieces(f, left + width / 2, width / 2)
        unsettled = ~(np.abs(whole - halves) <= _AGREES * max(1.0, abs(total)))
        total += float(halves[~unsettled].sum())
        if not unsettled.any():
            return total if _fades(f, total) else None
        left, width = np.concatenate([left[unsettled], left[unsettled] + width / 2]), width / 2
        if len(left) > 5000:  # nothing that a network could be trained with
            return None
    return None


def _fades(f: Callable[[Array], Array], total: float) -> bool:
    ends = np.abs(_pieces(f, _START[[0, -1]], 0.25)).sum()
    return bool(ends <= _FADED * max(1.0, abs(total)))


def _pieces(f: Callable[[Array], Array], left: Array, width: float) -> Array:
    """The integral of f times the density over each piece."""
    x = left[:, None] + width * (_NODES + 1) / 2
    values: Array = f(x.ravel()).reshape(x.shape) * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    return values @ _WEIGHTS * width / 2
