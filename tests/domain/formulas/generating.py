"""Expression trees and formulas for tests: by hypothesis, at random, and from textbooks."""

import random
import string
from collections.abc import Sequence

from hypothesis import strategies as st

from service.domain.activations.catalogue import CATALOGUE
from service.domain.formulas.expression import ARITY, Call, Expression, Number, Reference, X
from service.domain.formulas.parser import FUNCTIONS

_LEAVES = st.one_of(
    st.floats(min_value=0, allow_infinity=False, allow_nan=False).map(Number),
    st.sampled_from([X, Reference("a"), Reference("b")]),
)


def _calls(names: Sequence[str], arguments: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    return st.sampled_from(names).flatmap(
        lambda name: st.tuples(*[arguments] * ARITY[name]).map(lambda arguments: Call(name, arguments))
    )


def trees(names: Sequence[str] = tuple(ARITY)) -> st.SearchStrategy[Expression]:
    return st.recursive(_LEAVES, lambda arguments: _calls(names, arguments), max_leaves=12)


PIECES = [*FUNCTIONS, "clip", "min", "max", "clamp", "pi", "e", "slope=", "min=",
          "x", "a", "b", "c", "(", ")", ",", "+", "-", "*", "/", "**", "<", "<=", ">", ">=", "0", "1",
          "2.5", "1e9", "1e-40", " ", "\n", ".", "^", "=", "__", "é", "\0", "\ud800", "1e", "9" * 40]  # fmt: skip
_SEEDS = [row.formula for row in CATALOGUE.values()]


SHORTHAND_CALLS = (
    "min({0}, {1})", "max({0}, {1}, {2})", "clip({0}, -1, {1})", "clamp({0}, min={1})", "pow({0}, 2)", "square({0})",
    "leaky_relu({0}, slope={1})", "elu({0})", "exp({0}) / (1 + exp({1}))", "log(exp({0}) + 2)", "sqrt(abs({0})) * {1}",
    "rsqrt({0})", "arctan({0})", "logaddexp({0}, {1})", "erfc({0})", "celu({0}, alpha={1})", "e ** {0}",
)  # fmt: skip


def grammatical(rng: random.Random, levels: int) -> str:
    if levels == 0:
        return rng.choice(["x", "x", "a", "b", "1", "0.5", "2e3", "pi", "e"])
    part = [grammatical(rng, levels - rng.randint(1, 2) if levels > 1 else 0) for _ in range(3)]
    name = rng.choice(list(FUNCTIONS))
    operator = rng.choice(["+", "-", "*", "/", "**", "<", ">"])
    called = f"{name}({', '.join(part[: FUNCTIONS[name]])})"
    shorthand = rng.choice(SHORTHAND_CALLS).format(*part)
    return rng.choice(
        [
            called,
            called,
            shorthand,
            f"({part[0]}) {operator} ({part[1]})",
            f"{part[0]} {operator} {part[1]}",
            f"-{part[0]}",
        ]
    )


def generated(rng: random.Random) -> str:
    """Generate a text: random pieces; or a formula of the grammar or of the catalogue, most with changed characters."""
    kind = rng.random()
    if kind < 0.2:
        return "".join(rng.choice(PIECES) for _ in range(rng.randint(0, 60)))
    text = list(rng.choice(_SEEDS) if kind < 0.5 else grammatical(rng, rng.randint(0, 6)))
    if kind > 0.8:
        return "".join(text)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(text) + 1)
        text[at : at + rng.randint(0, 3)] = rng.choice([*PIECES, rng.choice(string.printable)])
    return "".join(text)


TEXTBOOK = [
    "1 / (1 + exp(-x))", "x / (1 + exp(-x))", "log(1 + exp(x))", "x * tanh(log(1 + exp(x)))", "exp(-exp(-x))",
    "exp(-x * x)", "x * exp(-x * x / 2)", "atan(x)", "x / sqrt(1 + x * x)", "where(x > 0, x, exp(x) - 1)",
    "sin(x) ** 2", "x + sin(3 * x) ** 2 / 3", "minimum(x * x, 1)", "log1p(abs(x)) * (where(x > 0, 1, -1))",
    "abs(x) ** 1.5", "where(x > 0, log(x + 1), -log(1 - x))", "where(x > 0, sqrt(x), 0)",
    "(exp(x) - exp(-x)) / (exp(x) + exp(-x))",
    "x * erf(log1p(exp(x)))", "x * (1 - exp(-softplus(x)))", "tanh(x) + 0.1 * x", "cos(x) - x", "x ** 3 / (1 + x ** 2)",
    "maximum(0.01 * x, x)", "1 - 2 / (exp(2 * x) + 1)", "exp(minimum(x, 0)) + maximum(x, 0) - 1", "2 ** -abs(x)",
]  # fmt: skip
POINTS = [-1e4, -200.0, -90.0, -20.0, -1.5, -1e-3, 0.0, 1e-3, 0.7, 3.0, 25.0, 89.0, 150.0, 1e4]
