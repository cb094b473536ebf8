"""Write formulas as LaTeX, in the commands that both KaTeX and MathJax know."""

from collections.abc import Mapping

from service.domain.formulas.expression import Call, Expression, Number, Reference, Variable

_COMPARISON, _SUM, _PRODUCT, _POWER, _ATOM = range(1, 6)  # the precedence of a piece of text

_GREEK = frozenset(
    ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi",
     "pi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega")
)  # fmt: skip
_OPERATORS = frozenset(("+", "-", "*", "/", "**"))
_RELATIONS: Mapping[str, str] = {"<": "<", "<=": r"\le", ">": ">", ">=": r"\ge"}
_NAMES: Mapping[str, str] = {
    "log": r"\ln",
    "sin": r"\sin",
    "cos": r"\cos",
    "atan": r"\arctan",
    "tanh": r"\tanh",
    "sigmoid": r"\sigma",
    "minimum": r"\min",
    "maximum": r"\max",
    **{name: rf"\operatorname{{{name}}}" for name in ("erf", "softplus", "softmax")},
}


def latex(expression: Expression) -> str:
    """Return the formula for LaTeX's math mode: the sigmoid as sigma, expm1 as e^x - 1, log1p as ln(1 + x), `where` as
    cases."""
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
        case Call(function, (argument,)) if function not in _NAMES:
            return _unary(function, argument)
        case Call(function, arguments):
            inside = ", ".join(latex(argument) for argument in arguments)
            return rf"{_NAMES[function]}\left({inside}\right)", _PRODUCT
    raise TypeError(f"Not a node of a formula: {expression!r}")


def _operation(operator: str, left: Expression, right: Expression) -> tuple[str, int]:
    match operator:
        case "+" | "-":
            return f"{_text(left, _SUM)} {operator} {_text(right, _PRODUCT)}", _SUM
        case "*":
            between = r"\cdot" if isinstance(right, Number) else r"\,"
            return f"{_text(left, _PRODUCT)} {between} {_text(right, _PRODUCT)}", _PRODUCT
        case "/":
            return rf"\frac{{{latex(left)}}}{{{latex(right)}}}", _PRODUCT
        case "**":
            return f"{{{_text(left, _ATOM)}}}^{{{latex(right)}}}", _POWER
    return f"{_text(left, _SUM)} {_RELATIONS[operator]} {_text(right, _SUM)}", _COMPARISON


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
        case "abs":
            return rf"\left|{latex(argument)}\right|", _ATOM
    raise ValueError(f"{function!r} has no LaTeX")


def _cases(condition: Expression, taken: Expression, otherwise: Expression) -> str:
    relation = latex(condition)
    if not (isinstance(condition, Call) and condition.function in _RELATIONS):
        relation = rf"{_text(condition, _SUM)} \ne 0"
    first, second = rf"{latex(taken)} & \text{{if }} {relation}", rf"{latex(otherwise)} & \text{{otherwise}}"
    return rf"\begin{{cases}}{first} \\ {second}\end{{cases}}"


def _number(value: float) -> tuple[str, int]:
    mantissa, _, power = repr(float(value)).removesuffix(".0").partition("e")
    return (rf"{mantissa} \cdot 10^{{{int(power)}}}", _PRODUCT) if power else (mantissa, _ATOM)


def _name(name: str) -> str:
    if name in _GREEK:
        return f"\\{name}"
    return name if len(name) == 1 else r"\mathrm{" + name.replace("_", r"\_") + "}"
