"""The partial derivatives of each function of the formula language, as trees over its arguments."""

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
"""The names of the first and second argument in a rule."""

_a, _b = (Reference(name) for name in SLOTS)
_ONE = number(1)

PARTIALS: Mapping[str, tuple[Expression, ...]] = {
    "+": (_ONE, _ONE),
    "-": (_ONE, -_ONE),
    "*": (_b, _a),
    "/": (1 / _b, -_a / _b / _b),
    "**": (where(_b, _b * _a ** (_b - 1), 0), _a**_b * log(_a)),  # a ** 0 is 1 for a = 0 too: its slope is 0
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
"""The rules, by function and argument. Comparisons have none, as their slope is 0 on both sides; nor has `where`, whose
slope is that of the branch that is taken; nor softmax, which has a Jacobian."""
