"""The formula language, from text to tree: what people write, read with limits, and never run as code.

Grammar, from the loosest binding to the tightest, as in Python:
comparison (< <= > >=, at most one), sum (+ -), product (* /), unary -, power (**, from right to left), and then a
number, x, a parameter, a call or parentheses.
"""

import difflib
from collections.abc import Collection, Mapping

from service.domain.formulas.expression import ARITY, Call, Expression, Number, Reference, X, formula
from service.domain.formulas.tokens import FormulaError, Token, shortened, tokens

LONGEST = 500  # characters
DEEPEST = 40  # nodes, from the whole down to a number
MOST_NODES = 200
LARGEST_POWER = 100.0  # of an exponent that is written as a number
LARGEST_NUMBER = 1e30  # and smallest 1e-30: their products and quotients stay within float32 for a while
LONGEST_NAME = 30

FUNCTIONS: Mapping[str, int] = {name: arity for name, arity in ARITY.items() if name.isalnum() and name != "negative"}
"""What a formula may call, with its number of arguments."""

_COMPARISONS = ("<", "<=", ">", ">=")
# How tightly an operator binds what stands on its left and on its right.
_LEFT: Mapping[str, int] = {**dict.fromkeys(_COMPARISONS, 1), "+": 3, "-": 3, "*": 5, "/": 5, "**": 10}
_RIGHT: Mapping[str, int] = {**dict.fromkeys(_COMPARISONS, 2), "+": 4, "-": 4, "*": 6, "/": 6, "**": 8}
_SIGN = 7


def parse(text: str, parameters: Collection[str] = ()) -> Expression:
    """The tree of a formula in x and the named parameters. FormulaError says where it is wrong, and how."""
    if len(text) > LONGEST:
        raise FormulaError(LONGEST + 1, f"{len(text)} characters", f"at most {LONGEST}")
    return _Parser(text, parameters).formula()


def canonical(text: str, parameters: Collection[str] = ()) -> str:
    """The one text of the same tree, which it reads back as. FormulaError as `parse`, and where that text is too long
    to be read again."""
    written = formula(parse(text, parameters))
    if len(written) > LONGEST:
        found = f"{len(written)} characters, with single spaces and every number written out"
        raise FormulaError(len(text) + 1, found, f"at most {LONGEST}")
    return written


def check_name(name: str) -> None:
    """ValueError unless a parameter may have this name."""
    if len(name) > LONGEST_NAME:
        raise ValueError(f"A parameter's name has at most {LONGEST_NAME} characters")
    Reference(name)


class _Parser:
    """Operator precedence by binding strengths (Pratt 1973): two frames of Python's stack for a level of nesting."""

    def __init__(self, text: str, parameters: Collection[str]) -> None:
        self._tokens = list(tokens(text))
        self._at = 0
        self._parameters = parameters
        self._nodes = 0

    def formula(self) -> Expression:
        tree, _ = self._operation(0, 1)
        if self._next.kind != "end":
            raise self._unexpected("an operator or the end")
        return tree

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._next
        self._at += 1
        return token

    def _operation(self, weakest: int, level: int) -> tuple[Expression, int]:
        """An operand and the operators after it that bind it at least so tightly, and how deep the tree of it is."""
        left, depth = self._operand(level)
        while (operator := self._next).kind == "symbol" and _LEFT.get(operator.text, -1) >= weakest:
            self._take()
            right, below = self._operation(_RIGHT[operator.text], level + 1)
            _check_power(operator, right)
            left, depth = self._call(operator, (left, right)), self._deeper(operator, max(depth, below))
            if operator.text in _COMPARISONS:
                self._refuse_a_second_comparison()
        return left, depth

    def _operand(self, level: int) -> tuple[Expression, int]:
        token = self._next
        self._check_level(token, level)
        match token.kind, token.text:
            case "number", _:
                return self._counted(Number(_value(self._take())), token), 1
            case "name", _:
                return self._named(self._take(), level)
            case "symbol", "-":
                self._take()
                argument, depth = self._operation(_SIGN, level + 1)
                return self._call(token, (argument,), "negative"), self._deeper(token, depth)
            case "symbol", "(":
                self._take()
                inner = self._operation(0, level + 1)
                self._close("an operator or ')'")
                return inner
        raise self._unexpected("a number, x, a parameter, a function, '-' or '('")

    def _named(self, token: Token, level: int) -> tuple[Expression, int]:
        if token.text in FUNCTIONS:
            return self._applied(token, level)
        if token.text == "x":
            return self._counted(X, token), 1
        if token.text in self._parameters:
            return self._counted(Reference(token.text), token), 1
        raise FormulaError(token.column, f"the unknown name {token}", self._known(token.text))

    def _applied(self, function: Token, level: int) -> tuple[Expression, int]:
        if self._next.text != "(":
            raise self._unexpected(f"'(' after {function.text}")
        self._take()
        arguments, depths = [], []
        for index in range(FUNCTIONS[function.text]):
            if index:
                self._comma(function)
            argument, depth = self._operation(0, level + 1)
            arguments.append(argument)
            depths.append(depth)
        self._close(f"an operator or ')': {function.text} takes {_count(FUNCTIONS[function.text])}")
        return self._call(function, tuple(arguments)), self._deeper(function, max(depths))

    def _comma(self, function: Token) -> None:
        if self._next.text != ",":
            raise self._unexpected(f"an operator or ',': {function.text} takes {_count(FUNCTIONS[function.text])}")
        self._take()

    def _close(self, expected: str) -> None:
        if self._next.text != ")":
            raise self._unexpected(expected)
        self._take()

    def _call(self, token: Token, arguments: tuple[Expression, ...], function: str = "") -> Expression:
        return self._counted(Call(function or token.text, arguments), token)

    def _counted(self, node: Expression, token: Token) -> Expression:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise FormulaError(token.column, "one more number, name or operation", f"at most {MOST_NODES}")
        return node

    def _deeper(self, token: Token, depth: int) -> int:
        self._check_level(token, depth + 1)
        return depth + 1

    def _check_level(self, token: Token, level: int) -> None:
        if level > DEEPEST:
            raise FormulaError(token.column, "one more level of nesting", f"at most {DEEPEST}")

    def _refuse_a_second_comparison(self) -> None:
        if self._next.text in _COMPARISONS:
            raise self._unexpected("one comparison at a time; take the product of two for both")

    def _unexpected(self, expected: str) -> FormulaError:
        return FormulaError(self._next.column, str(self._next), expected)

    def _known(self, name: str) -> str:
        known = ["x", *self._parameters, *FUNCTIONS]
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
        meant = f" (perhaps {close[0]})" if close else ""
        return f"x, a parameter given with the formula, or a function{meant}: {', '.join(FUNCTIONS)}"


def _value(token: Token) -> float:
    value = float(token.text)
    zero = not token.text.lower().partition("e")[0].strip("0.")  # as written: 1e-400 is a float of 0
    if not zero and not 1 / LARGEST_NUMBER <= value <= LARGEST_NUMBER:
        raise FormulaError(token.column, str(token), f"0 or a number from {1 / LARGEST_NUMBER:g} to {LARGEST_NUMBER:g}")
    return value


def _check_power(operator: Token, exponent: Expression) -> None:
    value = constant(exponent)
    if operator.text == "**" and value is not None and abs(value) > LARGEST_POWER:
        found = shortened(f"{value:g}")
        raise FormulaError(operator.column, f"the power {found}", f"at most {LARGEST_POWER:g} in size")


def constant(expression: Expression) -> float | None:
    """The number that a tree writes out, with its sign; None for anything that must be computed."""
    match expression:
        case Number(value):
            return value
        case Call("negative", (Number(value),)):
            return -value
    return None


def whole_power(exponent: Expression) -> int | None:
    """The exponent that a tree writes out as a whole number; None for any other."""
    value = constant(exponent)
    return int(value) if value is not None and value.is_integer() else None


def _count(arguments: int) -> str:
    return "1 argument" if arguments == 1 else f"{arguments} arguments"
