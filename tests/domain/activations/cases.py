"""The functions of the catalogue with several values of their parameters, and points at which tests evaluate them."""

import numpy as np

from service.domain.activations.catalogue import CATALOGUE

_BETAS: list[dict[str, float]] = [{"beta": value} for value in (0.0, 0.5, 1.0, 2.0, 100.0)]
_VARIED: dict[str, list[dict[str, float]]] = {
    "step": [{}, {"straight_through": 1.0}],
    "leaky_relu": [{}, {"slope": 0.0}, {"slope": 0.3}, {"slope": 1.0}],
    "rrelu": [{}, {"lower": 0.0, "upper": 1.0}],
    "swish": _BETAS,
    "swish2": _BETAS,
    "elu": [{}, {"alpha": 0.0}, {"alpha": 0.5}, {"alpha": 10.0}],
    "prelu": [{}, {"slope": 0.0}, {"slope": -0.5}],
    "celu": [{}, {"alpha": 0.01}, {"alpha": 0.5}, {"alpha": 100.0}],
    "soft_shrink": [{}, {"threshold": 0.0}, {"threshold": 10.0}],
    "hard_shrink": [{}, {"threshold": 0.0}, {"threshold": 10.0}],
}
CASES = [(name, values) for name in CATALOGUE for values in _VARIED.get(name, [{}])]
ELEMENTWISE = [(name, values) for name, values in CASES if CATALOGUE[name].elementwise]
"""The cases of functions that have a derivative at each x."""

_POSITIVE = [1e-45, 1e-40, 1.2e-38, 1e-30, 1e-20, 1e-8, *np.linspace(0.001, 20, 400), *np.linspace(86, 105, 39), 1e4]
GRID = np.array([*(-p for p in reversed(_POSITIVE)), -0.0, 0.0, *_POSITIVE], np.float32)
"""Ascending points in float32: denormals, both zeros, and those at which exp overflows float32 (88 to 104)."""
