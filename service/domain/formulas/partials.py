"""The partial derivatives of each function of the formula language, as trees over its arguments."""

import math
from collections.abc import Mapping

from service.domain.formulas.expression import (
    Call,
    Expression,
    Reference,
    cos,
    cosh,
    exp,
    log,
    number,
    sigmoid,
    sin,
    sinh,
    sqrt,
    where,
)

SLOTS = ("a", "b")
"""The names of the first and second argument in a rule."""

RESULT = "y"
"""The name of the function's own value in a rule, which is known by then."""

_a, _b, _y = (Reference(name) for name in (*SLOTS, RESULT))
_ONE = number(1)

PARTIALS: Mapping[str, tuple[Expression, ...]] = {
    "+": (_ONE, _ONE),
    "-": (_ONE, -_ONE),
    "*": (_b, _a),
    "/": (1 / _b, -_a / _b / _b),
    "**": (where(_b, _b * _a ** (_b - 1), 0), _y * log(_a)),  # a ** 0 is 1 for a = 0 too: its slope is 0
    "negative": (-_ONE,),
    "exp": (_y,),
    "expm1": (exp(_a),),
    "log": (1 / _a,),
    "log1p": (1 / (1 + _a),),
    "log2": (1 / (math.log(2) * _a),),
    "log10": (1 / (math.log(10) * _a),),
    "sqrt": (0.5 / _y,),
    "cbrt": (1 / (3 * _y * _y),),
    "sin": (cos(_a),),
    "cos": (-sin(_a),),
    "tan": (1 + _y * _y,),
    "asin": (1 / sqrt((1 - _a) * (1 + _a)),),
    "acos": (-1 / sqrt((1 - _a) * (1 + _a)),),
    "atan": (1 / (1 + _a * _a),),
    "sinh": (cosh(_a),),
    "cosh": (sinh(_a),),
    "tanh": (1 - _y**2,),
    "asinh": (1 / sqrt(1 + _a * _a),),
    "acosh": (1 / (sqrt(_a - 1) * sqrt(_a + 1)),),
    "atanh": (1 / ((1 - _a) * (1 + _a)),),
    "erf": (2 / math.sqrt(math.pi) * exp(-_a * _a),),
    "abs": (where(_a > 0, 1, where(_a < 0, -1, 0)),),
    "sigmoid": (_y * sigmoid(-_a),),  # 1 - sigmoid(a) would round to 0 from a = 37 on
    "softplus": (sigmoid(_a),),
    "minimum": (where(_a < _b, 1, where(_a > _b, 0, 0.5)), where(_b < _a, 1, where(_b > _a, 0, 0.5))),
    "maximum": (where(_a > _b, 1, where(_a < _b, 0, 0.5)), where(_b > _a, 1, where(_b < _a, 0, 0.5))),
}
"""The rules, by function and argument. Comparisons, `sign` and the functions that round have none, as their slope is 0
on both sides; nor has `where`, whose slope is that of the branch that is taken; nor softmax, which has a Jacobian."""

_first_larger, _first_smaller = (0.5 * (above + equal) for above, equal in ((_a > _b, _a >= _b), (_a < _b, _a <= _b)))

TRAINED_PARTIALS: Mapping[str, tuple[Expression, ...]] = {
    **PARTIALS,
    "abs": (Call("sign", (_a,)),),
    "maximum": (_first_larger, 1 - _first_larger),
    "minimum": (_first_smaller, 1 - _first_smaller),
    "sqrt": (where(_a, PARTIALS["sqrt"][0], 0),),
    "cbrt": (where(_a, PARTIALS["cbrt"][0], 0),),
    "**": (where(_a, _b * _a ** (_b - 1), where(_b - 1, 0, 1)), where(_a, where(_y, PARTIALS["**"][1], 0), 0)),
    "asinh": (where(abs(_a) > 1e9, 1 / abs(_a), PARTIALS["asinh"][0]),),  # float32 squares no more than 1.8e19
    **{name: (where(abs(_a) < 1, PARTIALS[name][0], 0),) for name in ("asin", "acos")},
    "acosh": (where(_a > 1, PARTIALS["acosh"][0], 0),),
}
"""The rules of training: 0 at a vertical tangent, as at a kink of abs. An infinite slope would end the training. The
slope of a power by its exponent is 0 where the power is 0, also for an infinite base. Those of abs, maximum and minimum
have the same values as the rules above, and take a third of the time."""

QUICK_PARTIALS: Mapping[str, tuple[Expression, ...]] = {
    **TRAINED_PARTIALS,
    **{name: PARTIALS[name] for name in ("sqrt", "cbrt", "asin", "acos", "acosh")},
    "**": (_b * _a ** (_b - 1), PARTIALS["**"][1]),
}
"""Rules that equal those of training, except that a slope is infinite or NaN where those make a choice."""
