"""Write formulas as LaTeX, in the commands that both KaTeX and MathJax know."""

from collections.abc import Iterator, Mapping
from itertools import groupby

from service.domain.formulas.expression import NAMED, Call, Expression, Number, Reference, Variable, factors_of
from service.domain.formulas.library import parameters_of

_COMPARISON, _SUM, _PRODUCT, _POWER, _ATOM = range(1, 6)  # the precedence of a piece of text

_GREEK = frozenset(
    ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi",
     "pi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega")
)  # fmt: skip
_OPERATORS = frozenset(("+", "-", "*", "/", "**"))
_RELATIONS: Mapping[str, str] = {"<": "<", "<=": r"\le", ">": ">", ">=": r"\ge"}
_OPERATOR_NAMES: Mapping[str, str] = {
    **{name: name for name in ("erf", "softplus", "softmax", "round", "step", "linear", "softsign", "swish")},
    **{"asinh": "arsinh", "acosh": "arcosh", "atanh": "artanh", "sign": "sgn", "sine": "sin", "mish": "mish"},
    **{"hard_sigmoid": "hardsigmoid", "hard_tanh": "hardtanh", "hard_swish": "hardswish", "swish2": "2swish"},
    **{"log_sigmoid": "logsigmoid", "tanh_shrink": "tanhshrink"},
    **{"soft_shrink": "softshrink", "hard_shrink": "hardshrink"},
    **{"relu": "ReLU", "leaky_relu": "LeakyReLU", "prelu": "PReLU", "relu6": "ReLU6", "relu_squared": "ReLU^2"},
    **{"elu": "ELU", "celu": "CELU", "selu": "SELU", "gelu": "GELU", "gelu_tanh": "GELU_{tanh}", "silu": "SiLU"},
}
_NAMES: Mapping[str, str] = {
    "log": r"\ln",
    "log2": r"\log_{2}",
    "log10": r"\log_{10}",
    "asin": r"\arcsin",
    "acos": r"\arccos",
    "atan": r"\arctan",
    "sigmoid": r"\sigma",
    "minimum": r"\min",
    "maximum": r"\max",
    **{name: f"\\{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{name: rf"\operatorname{{{title}}}" for name, title in _OPERATOR_NAMES.items()},
}


_DIGITS = 5
"""Significant digits of a number that is no integer, or an integer from _LARGE on. The text of the formula has them
all."""

_LARGE = 1e16  # Python writes floats from here on with an exponent


def latex(expression: Expression) -> str:
    """Return the formula for LaTeX's math mode, as people write it: x * x as x^2, the sigmoid as sigma, expm1 as
    e^x - 1, log1p as ln(1 + x), 0.5 as a fraction, nested calls of `where` as one set of cases."""
    return _text(expression, _COMPARISON)


def _text(expression: Expression, weakest: int) -> str:
    text, binding = _piece(expression)
    return text if binding >= weakest else rf"\left({text}\right)"


def _piece(expression: Expression) -> tuple[str, int]:
    match expression:
        case Number(value):
            return _number(value)
        case Variable():
            return "x", _ATOM
        case Reference(name):
            return _name(name), _ATOM
        case Call(function, (left, right)) if function in _OPERATORS or function in _RELATIONS:
            return _operation(function, left, right)
        case Call("where", (condition, taken, otherwise)):
            return _cases(condition, taken, otherwise), _ATOM
        case Call("pi", ()):
            return r"\pi", _ATOM
        case Call("e", ()):
            return "e", _ATOM
        case Call(function, (argument,)) if function not in _NAMES:
            return _unary(function, argument)
        case Call(function, (argument, *_)) if function in NAMED:
            return rf"{_NAMES[function]}{_subscript(expression)}\left({latex(argument)}\right)", _PRODUCT
        case Call(function, arguments):
            inside = ", ".join(latex(argument) for argument in arguments)
            return rf"{_NAMES[function]}\left({inside}\right)", _PRODUCT
    raise TypeError(f"Not a node of a formula: {expression!r}")


def _operation(operator: str, left: Expression, right: Expression) -> tuple[str, int]:
    match operator:
        case "+" | "-":
            return f"{_text(left, _SUM)} {operator} {_text(right, _PRODUCT)}", _SUM
        case "*":
            return _product(left, right)
        case "/":
            return rf"\frac{{{latex(left)}}}{{{latex(right)}}}", _PRODUCT
        case "**":
            return _power(left, latex(right)), _POWER
    return f"{_text(left, _SUM)} {_RELATIONS[operator]} {_text(right, _SUM)}", _COMPARISON


def _product(left: Expression, right: Expression) -> tuple[str, int]:
    """Write the factors of a product in order, neighbours that are equal as a power."""
    runs = [(factor, len(list(equal))) for factor, equal in groupby([*factors_of(left), *factors_of(right)])]
    if len(runs) == 1:
        factor, count = runs[0]
        return _power(factor, str(count)), _POWER
    text = _factor(*runs[0])
    for factor, count in runs[1:]:
        text += (r" \cdot " if _begins_with_a_number(factor) else r" \, ") + _factor(factor, count)
    return text, _PRODUCT


def _begins_with_a_number(factor: Expression) -> bool:
    match factor:
        case Call("**", (base, _)):
            return isinstance(base, Number)
    return isinstance(factor, Number)


def _factor(expression: Expression, count: int) -> str:
    return _text(expression, _PRODUCT) if count == 1 else _power(expression, str(count))


def _power(base: Expression, exponent: str) -> str:
    text = _text(base, _ATOM)
    bare = isinstance(base, Variable | Reference) and len(exponent) == 1
    return f"{text}^{exponent}" if bare else f"{{{text}}}^{{{exponent}}}"


def _unary(function: str, argument: Expression) -> tuple[str, int]:
    match function:
        case "negative":
            return f"-{_text(argument, _PRODUCT)}", _SUM
        case "exp":
            return f"e^{{{latex(argument)}}}", _POWER
        case "expm1":
            return f"e^{{{latex(argument)}}} - 1", _SUM
        case "log1p":
            return rf"\ln\left(1 + {_text(argument, _PRODUCT)}\right)", _PRODUCT
        case "sqrt":
            return rf"\sqrt{{{latex(argument)}}}", _ATOM
        case "cbrt":
            return rf"\sqrt[3]{{{latex(argument)}}}", _ATOM
        case "floor":
            return rf"\left\lfloor {latex(argument)}\right\rfloor", _ATOM
        case "ceil":
            return rf"\left\lceil {latex(argument)}\right\rceil", _ATOM
        case "abs":
            return rf"\left|{latex(argument)}\right|", _ATOM
    raise ValueError(f"{function!r} has no LaTeX")


def _subscript(call: Call) -> str:
    """Write the parameters of a named function that have not their defaults."""
    defaults = NAMED[call.function]
    others = [(name, value) for name, value in parameters_of(call).items() if value != Number(defaults[name])]
    return rf"_{{{', '.join(f'{_name(name)} = {latex(value)}' for name, value in others)}}}" if others else ""


def _cases(condition: Expression, taken: Expression, otherwise: Expression) -> str:
    *rows, (_, last) = _rows((), Call("where", (condition, taken, otherwise)))
    lines = [rf"{latex(value)} & \text{{if }} {_conditions(conditions)}" for conditions, value in rows]
    body = r" \\ ".join([*lines, rf"{latex(last)} & \text{{otherwise}}"])
    return rf"\begin{{cases}}{body}\end{{cases}}"


def _rows(
    conditions: tuple[Expression, ...], expression: Expression
) -> Iterator[tuple[tuple[Expression, ...], Expression]]:
    """Yield the values of nested calls of `where`, each with its conditions; the first whose conditions hold counts."""
    match expression:
        case Call("where", (condition, taken, otherwise)):
            yield from _rows((*conditions, condition), taken)
            yield from _rows(conditions, otherwise)
        case _:
            yield conditions, expression


def _conditions(conditions: tuple[Expression, ...]) -> str:
    return r" \text{ and } ".join(_condition(condition) for condition in conditions)


def _condition(condition: Expression) -> str:
    if isinstance(condition, Call) and condition.function in _RELATIONS:
        return latex(condition)
    return rf"{_text(condition, _SUM)} \ne 0"


def _number(value: float) -> tuple[str, int]:
    if value == 0.5:
        return r"\frac{1}{2}", _PRODUCT
    shown = value if value.is_integer() and value < _LARGE else float(f"{value:.{_DIGITS}g}")
    mantissa, _, power = repr(float(shown)).removesuffix(".0").partition("e")
    return (rf"{mantissa} \cdot 10^{{{int(power)}}}", _PRODUCT) if power else (mantissa, _ATOM)


def _name(name: str) -> str:
    if name in _GREEK:
        return f"\\{name}"
    return name if len(name) == 1 else r"\mathrm{" + name.replace("_", r"\_") + "}"
