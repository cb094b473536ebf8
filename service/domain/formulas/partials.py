"""The rules of differentiation: each function's partial derivatives, as trees over its own arguments."""

import math
from collections.abc import Mapping

from service.domain.formulas.expression import (
    Expression,
    Reference,
    cos,
    exp,
    log,
    number,
    sigmoid,
    sin,
    sqrt,
    tanh,
    where,
)

SLOTS = ("a", "b")
"""The names by which a rule refers to the first and second argument."""

_a, _b = (Reference(name) for name in SLOTS)
_ONE = number(1)

PARTIALS: Mapping[str, tuple[Expression, ...]] = {
    "+": (_ONE, _ONE),
    "-": (_ONE, -_ONE),
    "*": (_b, _a),
    "/": (1 / _b, -_a / _b / _b),
    "**": (where(_b, _b * _a ** (_b - 1), 0), _a**_b * log(_a)),  # a ** 0 is 1 for a = 0 too, so it is flat there
    "negative": (-_ONE,),
    "exp": (exp(_a),),
    "expm1": (exp(_a),),
    "log": (1 / _a,),
    "log1p": (1 / (1 + _a),),
    "sqrt": (0.5 / sqrt(_a),),
    "sin": (cos(_a),),
    "cos": (-sin(_a),),
    "atan": (1 / (1 + _a * _a),),
    "tanh": (1 - tanh(_a) ** 2,),
    "erf": (2 / math.sqrt(math.pi) * exp(-_a * _a),),
    "abs": (where(_a > 0, 1, where(_a < 0, -1, 0)),),
    "sigmoid": (sigmoid(_a) * sigmoid(-_a),),  # 1 - sigmoid(a) would round to 0 from a = 37 on
    "softplus": (sigmoid(_a),),
    "minimum": (where(_a < _b, 1, where(_a > _b, 0, 0.5)), where(_b < _a, 1, where(_b > _a, 0, 0.5))),
    "maximum": (where(_a > _b, 1, where(_a < _b, 0, 0.5)), where(_b > _a, 1, where(_b < _a, 0, 0.5))),
}
"""By function and argument. Comparisons are absent, as they are flat on both sides; so is `where`, which follows the
side that is taken; and softmax, which mixes elements and has a Jacobian."""
