"""Compare the properties of activation functions that the articles state with the computed ones (claims 9 and 12).

The statements are paraphrased, not quoted. They leave out what the articles leave open, such as whether a bound is
reached.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from service.domain.activations.activation import ARTICLE
from service.domain.activations.catalogue import CATALOGUE
from service.domain.activations.properties import Properties, properties
from service.domain.formulas.evaluation import Array, evaluate

SHORTER = "one of the three shorter articles on choosing activation functions"

Holds = Literal["holds", "does not hold", "cannot be computed"]
Value = bool | float | str | None | tuple["Value", ...]

_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Statement:
    """A stated property of a function. `compute` returns the true one, or None if it cannot be computed."""

    activation: str
    property: str
    stated: Value
    source: str
    compute: Callable[[], Value]


@dataclass(frozen=True)
class Judgement:
    """A statement, the computed property, and whether they agree."""

    activation: str
    property: str
    stated: Value
    computed: Value
    verdict: Holds
    source: str


def judgements(statements: Sequence[Statement] | None = None) -> list[Judgement]:
    """Judge statements, by default all of them, in their order."""
    return [_judge(statement) for statement in (STATEMENTS if statements is None else statements)]


def mismatches(judgements: Sequence[Judgement]) -> list[Judgement]:
    """Return the judgements that do not hold. Claim 12 holds if there are none."""
    return [judgement for judgement in judgements if judgement.verdict != "holds"]


def _judge(statement: Statement) -> Judgement:
    computed = statement.compute()
    verdict: Holds = "holds" if _same(statement.stated, computed) else "does not hold"
    if computed is None:
        verdict = "cannot be computed"
    return Judgement(statement.activation, statement.property, statement.stated, computed, verdict, statement.source)


def _same(stated: Value, computed: Value) -> bool:
    if isinstance(stated, tuple) and isinstance(computed, tuple):
        return len(stated) == len(computed) and all(map(_same, stated, computed))
    if isinstance(stated, bool) or not isinstance(stated, int | float):
        return stated == computed
    return isinstance(computed, int | float) and abs(stated - computed) <= _TOLERANCE


def _table(name: str) -> Properties:
    row = CATALOGUE[name]
    return properties(row.expression, row.values())


def _range(name: str, low: float | None, high: float | None) -> Statement:
    return Statement(name, "range", (low, high), ARTICLE, lambda: _table(name).range)


def _monotonic(name: str, stated: bool) -> Statement:
    return Statement(name, "monotonic", stated, ARTICLE, lambda: _is_monotonic(name))


def _is_monotonic(name: str) -> bool | None:
    monotonic = _table(name).monotonic
    return None if monotonic is None else monotonic != "neither"


def _vanishing(name: str, *sides: str) -> Statement:
    return Statement(name, "saturating_sides", sides, ARTICLE, partial(_sides, name))


def _sides(name: str) -> Value:
    sides = _table(name).saturating_sides
    return None if sides is None else tuple(sides)


def _centred(name: str, stated: bool) -> Statement:
    return Statement(name, "zero_centred", stated, SHORTER, lambda: _table(name).zero_centred)


def _is_steeper(name: str, other: str) -> bool | None:
    slope, other_slope = _table(name).largest_slope, _table(other).largest_slope
    return None if slope is None or other_slope is None else slope > other_slope


def _at(name: str, x: float, **parameters: float) -> float:
    row = CATALOGUE[name]
    return float(evaluate(row.expression, np.array([float(x)]), row.values(**parameters))[0])


def _softmax_of_an_example() -> Value:
    shares = evaluate(CATALOGUE["softmax"].expression, np.array([[2, 1, 0.1]]), {})
    return tuple(round(float(share), 1) for share in shares[0])


SWISHES = frozenset({"swish", "swish2", "silu"})


def not_monotonic() -> tuple[str, ...]:
    """Return the names of the functions of the catalogue, without swish's variants, that both rise and fall."""
    return tuple(name for name in CATALOGUE if name not in SWISHES and _is_monotonic(name) is False)


STATEMENTS: tuple[Statement, ...] = (
    _range("step", 0, 1),
    Statement("step", "largest_slope", 0, ARTICLE, lambda: _table("step").largest_slope),
    _range("linear", None, None), _vanishing("linear"),
    _range("sigmoid", 0, 1), _monotonic("sigmoid", True), _vanishing("sigmoid", "left", "right"),
    Statement("sigmoid", "differentiable_at_0", True, ARTICLE, lambda: _table("sigmoid").differentiable_at_0),
    _centred("sigmoid", False),
    _range("tanh", -1, 1), _monotonic("tanh", True), _vanishing("tanh", "left", "right"), _centred("tanh", True),
    Statement("tanh", "steeper than the sigmoid", True, ARTICLE, lambda: _is_steeper("tanh", "sigmoid")),
    Statement("softmax", "of 2, 1 and 0.1, to one digit", (0.7, 0.2, 0.1), SHORTER, _softmax_of_an_example),
    _range("relu", 0, None), _monotonic("relu", True), _vanishing("relu", "left"),
    _range("leaky_relu", None, None), _monotonic("leaky_relu", True), _vanishing("leaky_relu"),
    _monotonic("swish", False),
    Statement("swish", "the only one that is not monotonic", True, ARTICLE, lambda: not not_monotonic()),
    # The article prints 2x sigmoid(beta x), but describes x sigmoid(beta x).
    Statement("swish2", "f(1) for beta 0, where it is said to be the line x", 1, ARTICLE,
              lambda: _at("swish2", 1, beta=0)),
    Statement("swish2", "f(1) for a large beta, where it is said to be ReLU", 1, ARTICLE,
              lambda: _at("swish2", 1, beta=100)),
)  # fmt: skip


@dataclass(frozen=True)
class SwishFacts:
    """The analytic part of claim 9. `gaps` are sup |swish(x; beta) - ReLU(x)|, by beta."""

    minimum: float  # of swish with beta 1
    minimum_at: float
    beta_0_is_half_of_x: bool
    gaps: dict[float, float]
    not_monotonic: tuple[str, ...]

    @property
    def within_the_bound(self) -> bool:
        """True if each gap is at most |minimum| / beta, so that swish tends to ReLU for a large beta."""
        return all(gap <= abs(self.minimum) / beta * (1 + 1e-6) for beta, gap in self.gaps.items())

    @property
    def only_swish_is_not_monotonic(self) -> bool:
        return not self.not_monotonic


BETAS = (0.5, 1.0, 2.0, 10.0, 100.0)
_U = np.linspace(-30, 30, 600_001)  # values of beta x; beyond them, swish and ReLU differ by less than 1e-11 / beta


def swish_facts() -> SwishFacts:
    """Compute the facts on 600,001 points, the minimum to 1e-4 in x."""
    y = _swish(_U, 1.0)
    lowest = int(np.argmin(y))
    return SwishFacts(
        minimum=float(y[lowest]),
        minimum_at=float(_U[lowest]),
        beta_0_is_half_of_x=bool((_swish(_U, 0.0) == _U / 2).all()),
        gaps={beta: float(np.abs(_swish(_U / beta, beta) - np.maximum(_U / beta, 0)).max()) for beta in BETAS},
        not_monotonic=not_monotonic(),
    )


def _swish(x: Array, beta: float) -> Array:
    return evaluate(CATALOGUE["swish"].expression, x, {"beta": beta})
