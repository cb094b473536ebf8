"""Parse formulas into expression trees, within limits on their size. No text is ever run as code.

The operators, from the lowest precedence to the highest, as in Python: comparison (< <= > >=, at most one), sum (+ -),
product (* /), unary -, power (**, from right to left). Their operands are numbers, x, parameters, calls and
parentheses.
"""

import difflib
from collections.abc import Collection, Mapping

from service.domain.formulas.expression import ARITY, Call, Expression, Number, Reference, X, formula
from service.domain.formulas.tokens import FormulaError, Token, shortened, tokens

LONGEST = 500  # characters
DEEPEST = 40  # nodes on the path from the root to a leaf
MOST_NODES = 200
LARGEST_POWER = 100.0  # largest size of an exponent that is a constant
LARGEST_NUMBER = 1e30  # the smallest is 1e-30; products and quotients of two numbers are then far from float32's limits
LONGEST_NAME = 30

FUNCTIONS: Mapping[str, int] = {name: arity for name, arity in ARITY.items() if name.isalnum() and name != "negative"}
"""The functions that a formula may call by name, with their numbers of arguments."""

_COMPARISONS = ("<", "<=", ">", ">=")
# The binding strengths of an operator to its left and to its right.
_LEFT: Mapping[str, int] = {**dict.fromkeys(_COMPARISONS, 1), "+": 3, "-": 3, "*": 5, "/": 5, "**": 10}
_RIGHT: Mapping[str, int] = {**dict.fromkeys(_COMPARISONS, 2), "+": 4, "-": 4, "*": 6, "/": 6, "**": 8}
_SIGN = 7


def parse(text: str, parameters: Collection[str] = ()) -> Expression:
    """Return the tree of a formula of x and the named parameters. Raises FormulaError, with the column of the error."""
    if len(text) > LONGEST:
        raise FormulaError(LONGEST + 1, f"{len(text)} characters", f"at most {LONGEST}")
    return _Parser(text, parameters).formula()


def canonical(text: str, parameters: Collection[str] = ()) -> str:
    """Return the canonical text of a formula: the text of its tree, from which `parse` reads the same tree. Raises
    FormulaError as `parse` does, and for a canonical text that is too long to be parsed."""
    canonical_text = formula(parse(text, parameters))
    if len(canonical_text) > LONGEST:
        found = f"{len(canonical_text)} characters, with single spaces and every number written out"
        raise FormulaError(len(text) + 1, found, f"at most {LONGEST}")
    return canonical_text


def check_name(name: str) -> None:
    """Raise ValueError unless a parameter may have this name."""
    if len(name) > LONGEST_NAME:
        raise ValueError(f"A parameter's name has at most {LONGEST_NAME} characters")
    Reference(name)


class _Parser:
    """A parser by binding strengths (Pratt 1973, Top down operator precedence). A level of nesting takes two frames of
    Python's stack. `_operation` and the methods that it calls return a tree and its depth in nodes."""

    def __init__(self, text: str, parameters: Collection[str]) -> None:
        self._tokens = list(tokens(text))
        self._position = 0
        self._parameters = parameters
        self._nodes = 0

    def formula(self) -> Expression:
        tree, _ = self._operation(0, 1)
        if self._next.kind != "end":
            raise self._unexpected("an operator or the end")
        return tree

    @property
    def _next(self) -> Token:
        return self._tokens[self._position]

    def _take(self) -> Token:
        token = self._next
        self._position += 1
        return token

    def _operation(self, weakest: int, level: int) -> tuple[Expression, int]:
        """Parse an operand and the operators after it that bind at least as tightly as `weakest`."""
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
            return self._function_call(token, level)
        if token.text == "x":
            return self._counted(X, token), 1
        if token.text in self._parameters:
            return self._counted(Reference(token.text), token), 1
        raise FormulaError(token.column, f"the unknown name {token}", self._known_names(token.text))

    def _function_call(self, function: Token, level: int) -> tuple[Expression, int]:
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

    def _known_names(self, name: str) -> str:
        names = ["x", *self._parameters, *FUNCTIONS]
        close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
        suggestion = f" (perhaps {close[0]})" if close else ""
        return f"x, a parameter given with the formula, or a function{suggestion}: {', '.join(FUNCTIONS)}"


def _value(token: Token) -> float:
    value = float(token.text)
    zero = not token.text.lower().partition("e")[0].strip("0.")  # by its digits: float("1e-400") is 0 too
    if not zero and not 1 / LARGEST_NUMBER <= value <= LARGEST_NUMBER:
        raise FormulaError(token.column, str(token), f"0 or a number from {1 / LARGEST_NUMBER:g} to {LARGEST_NUMBER:g}")
    return value


def _check_power(operator: Token, exponent: Expression) -> None:
    value = constant(exponent)
    if operator.text == "**" and value is not None and abs(value) > LARGEST_POWER:
        raise FormulaError(
            operator.column, f"the power {shortened(f'{value:g}')}", f"at most {LARGEST_POWER:g} in size"
        )


def constant(expression: Expression) -> float | None:
    """Return the value of a tree that is a number with or without a sign, else None."""
    match expression:
        case Number(value):
            return value
        case Call("negative", (Number(value),)):
            return -value
    return None


def whole_power(exponent: Expression) -> int | None:
    """Return the exponent if it is an integer constant, else None."""
    value = constant(exponent)
    return int(value) if value is not None and value.is_integer() else None


def _count(arguments: int) -> str:
    return "1 argument" if arguments == 1 else f"{arguments} arguments"
