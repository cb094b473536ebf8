"""Expression trees: their construction, their text, and the values that they refuse."""

import ast
from collections.abc import Iterator
from functools import partial

import pytest
from hypothesis import given

from service.domain.formulas import expression as language
from service.domain.formulas.expression import (
    ARITY,
    Call,
    Expression,
    Number,
    Reference,
    X,
    formula,
    is_elementwise,
    nodes,
    number,
    sigmoid,
    softmax,
    tanh,
    where,
)
from tests.domain.formulas.generating import trees

a, b = Reference("a"), Reference("b")


class _Constants(ast.NodeTransformer):
    """Wrap numbers in nodes, so that Python builds a tree of 2 ** 3 and does not compute 8."""

    def visit_Constant(self, node: ast.Constant) -> ast.Call:
        return ast.Call(ast.Name("number", ast.Load()), [node], [])


def _read(text: str) -> Expression:
    """Read a formula by Python's own grammar."""
    names = {name: partial(language.call, name) if count else language.call(name) for name, count in ARITY.items()}
    module = ast.fix_missing_locations(_Constants().visit(ast.parse(text, mode="eval")))
    scope: dict[str, object] = {**names, "__builtins__": {}, "abs": abs, "number": number, "x": X, "a": a, "b": b}
    read: Expression = eval(compile(module, "formula", "eval"), scope)
    return read


def _without_one_pair(text: str) -> Iterator[str]:
    opened: list[int] = []
    for at, character in enumerate(text):
        if character == "(":
            opened.append(at)
        elif character == ")":
            start = opened.pop()
            if start == 0 or not text[start - 1].isalnum():
                yield text[:start] + text[start + 1 : at] + text[at + 1 :]


@given(trees())
def test_formula_is_read_by_python_as_the_same_tree(tree: Expression) -> None:
    assert _read(formula(tree)) == tree


@given(trees(["+", "-", "*", "/", "**", "negative", ">"]))
def test_formula_has_no_superfluous_parentheses(tree: Expression) -> None:
    for text in _without_one_pair(formula(tree)):
        try:
            read = _read(text)
        except TypeError:  # comparisons do not chain
            continue
        assert read != tree


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (X * sigmoid(b * X), "x * sigmoid(b * x)"),
        (2 * X - (a - b), "2 * x - (a - b)"),
        (-(X**2), "-x ** 2"),
        ((-X) ** 2, "(-x) ** 2"),
        (2 ** (-X), "2 ** -x"),
        ((X**a) ** b, "(x ** a) ** b"),
        (X + -0.5, "x + -0.5"),
        ((X < 1) * 2, "(x < 1) * 2"),
        (X > 0, "x > 0"),
        (1e-7 + abs(X), "1e-07 + abs(x)"),
        (where(a <= X, tanh(X), 1 - X), "where(a <= x, tanh(x), 1 - x)"),
    ],
)
def test_formula(tree: Expression, text: str) -> None:
    assert formula(tree) == text


def test_expression_refuses_chained_comparisons() -> None:
    with pytest.raises(TypeError, match="neither true nor false"):
        _ = 0 < X < 1


@pytest.mark.parametrize("value", [-1.0, -0.0, float("inf"), float("nan")])
def test_number_refuses_negative_and_infinite_values(value: float) -> None:
    with pytest.raises(ValueError, match="finite and not negative"):
        Number(value)


@pytest.mark.parametrize("name", ["x", "exp", "where", "", "2b", "a b", "__class__", "a.b"])
def test_reference_refuses_names_with_another_meaning(name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a parameter"):
        Reference(name)


@pytest.mark.parametrize(("function", "count"), [("exp", 2), ("where", 2), ("+", 1), ("open", 1), ("__import__", 1)])
def test_call_refuses_unknown_functions_and_wrong_numbers_of_arguments(function: str, count: int) -> None:
    with pytest.raises(ValueError, match="not in the formula language"):
        Call(function, (X,) * count)


def test_is_elementwise_is_false_for_softmax_only() -> None:
    assert is_elementwise(X * sigmoid(b * X))
    assert not is_elementwise(1 + X * softmax(2 * X))


def test_nodes_yields_parents_first() -> None:
    assert list(nodes(-X + a)) == [-X + a, -X, X, a]
