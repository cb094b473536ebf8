"""Names of the formula language that stand for a formula of other functions, and other names of functions: those that
people know from numpy and torch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce

from service.domain.formulas.expression import Expression, erf, exp, log, maximum, minimum, sqrt

Place = int | str
"""The position of an argument, or the keyword of one that has a name."""


@dataclass(frozen=True)
class Shorthand:
    """The arguments of a shorthand, and the formula that it stands for."""

    required: int
    build: Callable[[Mapping[Place, Expression]], Expression]
    optional: tuple[str, ...] = ()
    needs_optional: bool = False
    repeats: bool = False


def _clipped(arguments: Mapping[Place, Expression]) -> Expression:
    above = maximum(arguments[0], arguments["min"]) if "min" in arguments else arguments[0]
    return minimum(above, arguments["max"]) if "max" in arguments else above


SHORTHANDS: Mapping[str, Shorthand] = {
    "min": Shorthand(2, lambda a: reduce(minimum, a.values()), repeats=True),
    "max": Shorthand(2, lambda a: reduce(maximum, a.values()), repeats=True),
    "clip": Shorthand(1, _clipped, ("min", "max"), needs_optional=True),
    "pow": Shorthand(2, lambda a: a[0] ** a[1]),
    "square": Shorthand(1, lambda a: a[0] ** 2),
    "exp2": Shorthand(1, lambda a: 2 ** a[0]),
    "rsqrt": Shorthand(1, lambda a: 1 / sqrt(a[0])),
    "reciprocal": Shorthand(1, lambda a: 1 / a[0]),
    "hypot": Shorthand(2, lambda a: sqrt(a[0] ** 2 + a[1] ** 2)),
    "logaddexp": Shorthand(2, lambda a: log(exp(a[0]) + exp(a[1]))),
    "erfc": Shorthand(1, lambda a: 1 - erf(a[0])),
}

SYNONYMS: Mapping[str, str] = {
    "clamp": "clip",
    "power": "pow",
    "ln": "log",
    "absolute": "abs",
    "fabs": "abs",
    "sgn": "sign",
    "rint": "round",
    "logistic": "sigmoid",
    "expit": "sigmoid",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
    "hardsigmoid": "hard_sigmoid",
    "hardtanh": "hard_tanh",
    "hardswish": "hard_swish",
    "hardshrink": "hard_shrink",
    "softshrink": "soft_shrink",
    "tanhshrink": "tanh_shrink",
    "logsigmoid": "log_sigmoid",
}

KEYWORDS: Mapping[str, str] = {
    "a_min": "min",
    "a_max": "max",
    "negative_slope": "slope",
    "lambd": "threshold",
}
"""Other names of keywords, those of numpy and torch."""
