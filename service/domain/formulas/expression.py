"""Expression trees of the formula language over one variable x, and their text.

A tree is data; `evaluation` evaluates it with numpy, and the worker with torch. Every value is a real number: a
comparison is 1 or 0, and `where` takes its second argument where the first is not 0.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

_CORE: Mapping[str, int] = {
    **dict.fromkeys(("+", "-", "*", "/", "**", "<", "<=", ">", ">=", "minimum", "maximum"), 2),
    **dict.fromkeys(("negative", "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "atan", "tanh", "erf"), 1),
    **dict.fromkeys(("abs", "sigmoid", "softplus", "softmax"), 1),
    "where": 3,
}
"""The functions whose names no parameter may have."""

CONSTANTS: Mapping[str, float] = {"pi": math.pi, "e": math.e}

NAMED: Mapping[str, Mapping[str, float]] = {
    **{name: {} for name in ("step", "linear", "hard_sigmoid", "hard_tanh", "softsign", "sine", "relu", "selu")},
    **{name: {} for name in ("relu6", "relu_squared", "gelu", "gelu_tanh", "silu", "mish", "hard_swish")},
    **{name: {} for name in ("log_sigmoid", "tanh_shrink")},
    **{name: {"beta": 1.0} for name in ("swish", "swish2")},
    **{name: {"alpha": 1.0} for name in ("elu", "celu")},
    **{name: {"threshold": 0.5} for name in ("soft_shrink", "hard_shrink")},
    "leaky_relu": {"slope": 0.01},
    "prelu": {"slope": 0.25},
}
"""The functions of the catalogue that a formula may call by name: the parameters that follow the first argument, with
their defaults. `library` defines them."""

ARITY: Mapping[str, int] = {
    **_CORE,
    **dict.fromkeys(CONSTANTS, 0),
    **dict.fromkeys(("sign", "floor", "ceil", "round", "tan", "sinh", "cosh", "asin", "acos", "asinh", "acosh"), 1),
    **dict.fromkeys(("atanh", "cbrt", "log2", "log10"), 1),
    **{name: 1 + len(parameters) for name, parameters in NAMED.items()},
}
"""The functions that a tree may call, with their numbers of arguments. softmax normalises over axis 1 (channels or
units); all others are elementwise. sigmoid(a) = 1 / (1 + exp(-a)), softplus(a) = log(1 + exp(a))."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class Expression:
    """A node of a tree. Python's operators build larger trees of nodes: `X * sigmoid(beta * X)`."""

    def __add__(self, other: "Operand") -> "Call":
        return _call("+", self, other)

    def __radd__(self, other: float) -> "Call":
        return _call("+", other, self)

    def __sub__(self, other: "Operand") -> "Call":
        return _call("-", self, other)

    def __rsub__(self, other: float) -> "Call":
        return _call("-", other, self)

    def __mul__(self, other: "Operand") -> "Call":
        return _call("*", self, other)

    def __rmul__(self, other: float) -> "Call":
        return _call("*", other, self)

    def __truediv__(self, other: "Operand") -> "Call":
        return _call("/", self, other)

    def __rtruediv__(self, other: float) -> "Call":
        return _call("/", other, self)

    def __pow__(self, other: "Operand") -> "Call":
        return _call("**", self, other)

    def __rpow__(self, other: float) -> "Call":
        return _call("**", other, self)

    def __neg__(self) -> "Call":
        return _call("negative", self)

    def __abs__(self) -> "Call":
        return _call("abs", self)

    def __lt__(self, other: "Operand") -> "Call":
        return _call("<", self, other)

    def __le__(self, other: "Operand") -> "Call":
        return _call("<=", self, other)

    def __gt__(self, other: "Operand") -> "Call":
        return _call(">", self, other)

    def __ge__(self, other: "Operand") -> "Call":
        return _call(">=", self, other)

    def __bool__(self) -> NoReturn:
        # Python reads a < b < c as (a < b) and (b < c): without this it would silently drop the first half.
        raise TypeError("An expression is neither true nor false; use where(condition, a, b)")


Operand: TypeAlias = Expression | float


@dataclass(frozen=True)
class Number(Expression):
    """A constant that is not negative: -2 is the negative of 2, so that each tree has one text and each text one tree.

    Raises ValueError for a value that is negative or not finite.
    """

    value: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.value) or math.copysign(1.0, self.value) < 0:
            raise ValueError(f"A number must be finite and not negative, got {self.value}")


@dataclass(frozen=True)
class Variable(Expression):
    """The variable x, an activation's input."""


@dataclass(frozen=True)
class Reference(Expression):
    """A parameter, referred to by its name; evaluation takes its value. It hides a function or constant of its name,
    except for x and the functions of `_CORE`, for which ValueError is raised."""

    name: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or self.name == "x" or self.name in _CORE:
            raise ValueError(f"{self.name!r} cannot name a parameter")


@dataclass(frozen=True)
class Call(Expression):
    """A call of a function of `ARITY`. Raises ValueError for an unknown one or a wrong number of arguments."""

    function: str
    arguments: tuple[Expression, ...]

    def __post_init__(self) -> None:
        if ARITY.get(self.function) != len(self.arguments):
            raise ValueError(f"{self.function!r} with {len(self.arguments)} arguments is not in the formula language")


X = Variable()


def number(value: float) -> Expression:
    """Build a constant of either sign. Raises ValueError unless it is finite."""
    magnitude = Number(abs(float(value)))
    return magnitude if math.copysign(1.0, value) > 0 else -magnitude


def _call(function: str, *operands: Operand) -> Call:
    return Call(function, tuple(o if isinstance(o, Expression) else number(o) for o in operands))


def call(function: str, *operands: Operand, **keywords: Operand) -> Call:
    """Build a call of a function of `ARITY`, whose parameters in `NAMED` may be keywords and have defaults."""
    defaults = NAMED.get(function, {})
    positional = dict(zip(defaults, operands[1:], strict=False))
    if keywords.keys() - (defaults.keys() - positional.keys()):
        raise ValueError(f"{function!r} has no such parameter, or has it twice: {', '.join(keywords)}")
    parameters = {**defaults, **positional, **keywords} if operands else {}
    return _call(function, *operands[:1], *(parameters.values() if defaults else operands[1:]))


def _builder(function: str) -> Callable[..., Call]:
    return lambda *operands, **keywords: call(function, *operands, **keywords)


exp, expm1, log, log1p = _builder("exp"), _builder("expm1"), _builder("log"), _builder("log1p")
sqrt, tanh, erf = _builder("sqrt"), _builder("tanh"), _builder("erf")
sin, cos, atan = _builder("sin"), _builder("cos"), _builder("atan")
sinh, cosh = _builder("sinh"), _builder("cosh")
sigmoid, softplus, softmax = _builder("sigmoid"), _builder("softplus"), _builder("softmax")
minimum, maximum, where = _builder("minimum"), _builder("maximum"), _builder("where")


def nodes(expression: Expression) -> Iterator[Expression]:
    """Iterate over the node itself and all nodes below it, parents first."""
    yield expression
    if isinstance(expression, Call):
        for argument in expression.arguments:
            yield from nodes(argument)


def factors_of(expression: Expression) -> Iterator[Expression]:
    """Iterate over the factors of nested products, from the left; over the node itself where it is no product."""
    match expression:
        case Call("*", (left, right)):
            yield from factors_of(left)
            yield from factors_of(right)
        case _:
            yield expression


def is_elementwise(expression: Expression) -> bool:
    """Tell whether each output depends on one input only: softmax is the one function that mixes elements."""
    return not any(isinstance(node, Call) and node.function == "softmax" for node in nodes(expression))


# The precedence of the operators, as in Python; everything else is an atom. Comparisons do not chain.
_COMPARISON, _SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(1, 7)
_BINDING: Mapping[str, int] = {
    **dict.fromkeys(("<", "<=", ">", ">="), _COMPARISON),
    **dict.fromkeys(("+", "-"), _SUM),
    **dict.fromkeys(("*", "/"), _PRODUCT),
    "negative": _SIGN,
    "**": _POWER,
}
_SIDES: Mapping[int, tuple[int, int]] = {  # the weakest binding without parentheses, on the left and the right
    _COMPARISON: (_SUM, _SUM),
    _SUM: (_SUM, _PRODUCT),
    _PRODUCT: (_PRODUCT, _SIGN),
    _POWER: (_ATOM, _SIGN),
}


def formula(expression: Expression) -> str:
    """Return the tree as text such as `x * sigmoid(beta * x)`, with only the parentheses that Python's precedence
    needs. Distinct trees have distinct texts."""
    return _text(expression, weakest=_COMPARISON)


def _text(expression: Expression, weakest: int) -> str:
    text = _bare(expression)
    return text if _binding(expression) >= weakest else f"({text})"


def _binding(expression: Expression) -> int:
    return _BINDING.get(expression.function, _ATOM) if isinstance(expression, Call) else _ATOM


def _bare(expression: Expression) -> str:
    match expression:
        case Number(value):
            return repr(float(value)).removesuffix(".0")
        case Variable():
            return "x"
        case Reference(name):
            return name
        case Call("negative", (argument,)):
            return "-" + _text(argument, _SIGN)
        case Call(function, (left, right)) if function in _BINDING:
            on_the_left, on_the_right = _SIDES[_BINDING[function]]
            return f"{_text(left, on_the_left)} {function} {_text(right, on_the_right)}"
        case Call(function, ()):
            return function
        case Call(function, arguments):
            return f"{function}({', '.join(_arguments(function, arguments))})"
    raise TypeError(f"Not a node of a formula: {expression!r}")


def _arguments(function: str, arguments: tuple[Expression, ...]) -> Iterator[str]:
    """Write the arguments of a call; a parameter of a named function as a keyword, unless it has its default."""
    defaults = NAMED.get(function, {})
    positional = len(arguments) - len(defaults)
    yield from (formula(argument) for argument in arguments[:positional])
    for (name, default), argument in zip(defaults.items(), arguments[positional:], strict=True):
        if argument != Number(default):
            yield f"{name}={formula(argument)}"


def substituted(expression: Expression, x: Expression, parameters: Mapping[str, Expression]) -> Expression:
    """Replace the variable, and the parameters that are in `parameters`, by expressions."""
    match expression:
        case Variable():
            return x
        case Reference(name):
            return parameters.get(name, expression)
        case Call(function, arguments):
            return Call(function, tuple(substituted(argument, x, parameters) for argument in arguments))
    return expression
