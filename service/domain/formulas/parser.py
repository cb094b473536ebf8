"""Parse formulas into expression trees, within limits on their size. No text is ever run as code.

The operators, from the lowest precedence to the highest, as in Python: comparison (< <= > >=, at most one), sum (+ -),
product (* /), unary -, power (**, from right to left). Their operands are numbers, x, parameters, calls and
parentheses.
"""

import difflib
from collections.abc import Collection, Mapping

from service.domain.formulas import remedies
from service.domain.formulas.expression import (
    ARITY,
    CONSTANTS,
    NAMED,
    Call,
    Expression,
    Number,
    Reference,
    X,
    formula,
    nodes,
)
from service.domain.formulas.shorthands import KEYWORDS, SHORTHANDS, SYNONYMS, Place, Shorthand
from service.domain.formulas.tokens import FormulaError, Token, shortened, tokens

LONGEST = 500  # characters
DEEPEST = 40  # nodes on the path from the root to a leaf
MOST_NODES = 200
LARGEST_POWER = 100.0  # largest size of an exponent that is a constant
LARGEST_NUMBER = 1e30  # the smallest is 1e-30; products and quotients of two numbers are then far from float32's limits
LONGEST_NAME = 30

FUNCTIONS: Mapping[str, int] = {
    name: arity for name, arity in ARITY.items() if name.isidentifier() and name not in ("negative", *CONSTANTS)
}
"""The functions that a formula may call by name, with their numbers of arguments."""

NAMES = frozenset({*FUNCTIONS, *CONSTANTS, *SYNONYMS, *SHORTHANDS})
"""All names that mean something in a formula beside x."""

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
        name = SYNONYMS.get(token.text, token.text)
        if token.text == "x":
            return self._counted(X, token), 1
        if token.text in self._parameters:  # a parameter hides what the language calls by its name
            return self._counted(Reference(token.text), token), 1
        if name in SHORTHANDS:
            return self._shorthand(token, SHORTHANDS[name], level)
        if name in FUNCTIONS:
            return self._function_call(token, name, level)
        if name in CONSTANTS:
            return self._call(token, (), name), 1
        raise FormulaError(token.column, f"the unknown name {token}", self._known_names(token.text))

    def _function_call(self, token: Token, name: str, level: int) -> tuple[Expression, int]:
        defaults = NAMED.get(name, {})
        required = FUNCTIONS[name] - len(defaults)
        arguments = self._arguments(token, required, tuple(defaults), level)
        parameters = [
            arguments[at][0] if at in arguments else self._counted(Number(default), token)
            for at, default in defaults.items()
        ]
        tree = self._call(token, (*(arguments[at][0] for at in range(required)), *parameters), name)
        return tree, self._deeper(token, max(depth for _, depth in arguments.values()))

    def _shorthand(self, token: Token, shorthand: Shorthand, level: int) -> tuple[Expression, int]:
        arguments = self._arguments(token, shorthand.required, shorthand.optional, level, repeats=shorthand.repeats)
        if shorthand.needs_optional and len(arguments) == shorthand.required:
            usage = _usage(token.text, shorthand.required, shorthand.optional, shorthand.repeats)
            raise FormulaError(token.column, f"{token} with 1 argument", f"a limit: {usage}")
        inside = {place: tree for place, (tree, _) in arguments.items()}
        tree = shorthand.build(inside)
        for _ in range(_size(tree) - sum(map(_size, inside.values()))):
            self._counted(tree, token)
        if isinstance(tree, Call) and tree.function == "**":
            _check_power(Token("symbol", "**", token.column), tree.arguments[1])
        depth = _depth(tree)
        self._check_level(token, depth)
        return tree, depth

    def _arguments(
        self, function: Token, required: int, optional: tuple[str, ...], level: int, *, repeats: bool = False
    ) -> dict[Place, tuple[Expression, int]]:
        """Parse the arguments of a call, with their depths: required ones by position, others by keyword too."""
        usage = _usage(function.text, required, optional, repeats)
        if self._next.text != "(":
            raise self._unexpected(f"'(' after {function.text}")
        self._take()
        arguments: dict[Place, tuple[Expression, int]] = {}
        while True:
            place = self._place(arguments, required, optional, usage)
            arguments[place] = self._operation(0, level + 1)
            enough = len(arguments) >= required
            if self._next.text == ")" and enough:
                self._take()
                return arguments
            full = not repeats and len(arguments) == required + len(optional)
            if full or self._next.text != ",":
                closing = "')'" if enough else "','"
                advice = remedies.ARGUMENTS.get(SYNONYMS.get(function.text, function.text)) if full else None
                also = f"; write {advice}" if advice and self._next.text == "," else ""
                raise self._unexpected(f"an operator or {closing}: {usage}{also}")
            self._take()

    def _place(self, arguments: Mapping[Place, object], required: int, optional: tuple[str, ...], usage: str) -> Place:
        """Return the place of the next argument: its keyword, or the next position."""
        following = [token.text for token in self._tokens[self._position + 1 : self._position + 3]]
        if self._next.kind == "name" and following[:1] == ["="] and following != ["=", "="]:
            keyword = KEYWORDS.get(self._next.text, self._next.text)
            if len(arguments) < required or keyword not in optional or keyword in arguments:
                raise self._unexpected(usage)
            self._take()
            self._take()
            return keyword
        position = len(arguments)
        if position < required or not optional:
            return position
        keyword = optional[position - required]
        if list(arguments)[required:] != list(optional[: position - required]):
            raise self._unexpected(f"a keyword: {usage}")
        return keyword

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
        """Return the error that the next token is not what is expected, with advice where it is common elsewhere."""
        if self._next.text == "=":
            expected = remedies.SYMBOLS["="]
        before = self._tokens[self._position - 1].text if self._position else ""
        in_call = self._next.text == "," and "takes" in expected
        remedy = (
            None
            if in_call
            else remedies.of_neighbours("" if before in NAMES - CONSTANTS.keys() else before, self._next.text)
        )
        return FormulaError(self._next.column, str(self._next), f"{expected}; write {remedy}" if remedy else expected)

    def _known_names(self, name: str) -> str:
        if name in remedies.WORDS:
            return f"{remedies.WORDS[name]}; {_LANGUAGE}"
        names = ["x", *self._parameters, *NAMES]
        close = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.6)
        suggestion = f" (perhaps {close[0]})" if close else ""
        return f"{_LANGUAGE}{suggestion}: {', '.join((*FUNCTIONS, *SHORTHANDS, *CONSTANTS))}"


_LANGUAGE = "x, a parameter given with the formula, or a function"


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


def _usage(function: str, required: int, optional: tuple[str, ...], repeats: bool) -> str:
    count = f"{required} or more arguments" if repeats else "1 argument" if required == 1 else f"{required} arguments"
    keywords = "".join(f" and {name}=" for name in optional)
    return f"{function} takes {count}{keywords}"


def _size(tree: Expression) -> int:
    return sum(1 for _ in nodes(tree))


def _depth(tree: Expression) -> int:
    arguments = tree.arguments if isinstance(tree, Call) else ()
    return 1 + max(map(_depth, arguments), default=0)
