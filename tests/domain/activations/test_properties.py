"""Properties: those of the catalogue against the literature, and edge cases."""

import math
from typing import Any

import pytest

from service.domain.activations.catalogue import CATALOGUE
from service.domain.activations.properties import Properties, properties
from service.domain.formulas.parser import parse
from service.domain.formulas.rewriting import stable


def of(text: str, **values: float) -> Properties:
    return properties(parse(text, values), values)


def of_row(name: str, **parameters: float) -> Properties:
    row = CATALOGUE[name]
    return properties(row.expression, row.values(**parameters))


# From the articles and papers, independent of the code: range, monotonic, f'(0), f(x) ~ x, largest |f'|, sides on which
# it saturates.
RISES, NEITHER = "non_decreasing", "neither"
KNOWN: dict[str, tuple[Any, ...]] = {
    "step": ((0, 1), RISES, None, False, 0, ["left", "right"]),
    "linear": ((None, None), RISES, 1, True, 1, []),
    "sigmoid": ((0, 1), RISES, 0.25, False, 0.25, ["left", "right"]),
    "tanh": ((-1, 1), RISES, 1, True, 1, ["left", "right"]),
    "relu": ((0, None), RISES, None, False, 1, ["left"]),
    "leaky_relu": ((None, None), RISES, None, False, 1, []),
    "rrelu": ((None, None), RISES, None, False, 1, []),
    "swish": ((-0.278465, None), NEITHER, 0.5, False, 1.09984, ["left"]),
    "swish2": ((-0.556929, None), NEITHER, 1, True, 2.19968, ["left"]),
    "softplus": ((0, None), RISES, 0.5, False, 1, ["left"]),
    "gelu": ((-0.169971, None), NEITHER, 0.5, False, 1.128904, ["left"]),
    "gelu_tanh": ((-0.170041, None), NEITHER, 0.5, False, 1.128993, ["left"]),
    "elu": ((-1, None), RISES, 1, True, 1, ["left"]),
    "celu": ((-1, None), RISES, 1, True, 1, ["left"]),
    "selu": ((-1.758099, None), RISES, None, False, 1.758099, ["left"]),
    "silu": ((-0.278465, None), NEITHER, 0.5, False, 1.09984, ["left"]),
    "mish": ((-0.308843, None), NEITHER, 0.6, False, 1.088498, ["left"]),
    "prelu": ((None, None), RISES, None, False, 1, []),
    "hard_sigmoid": ((0, 1), RISES, 1 / 6, False, 1 / 6, ["left", "right"]),
    "hard_tanh": ((-1, 1), RISES, 1, True, 1, ["left", "right"]),
    "relu6": ((0, 6), RISES, None, False, 1, ["left", "right"]),
    "hard_swish": ((-0.375, None), NEITHER, 0.5, False, 1.5, ["left"]),
    "softsign": ((-1, 1), RISES, 1, True, 1, ["left", "right"]),
    "relu_squared": ((0, None), RISES, 0, False, None, ["left"]),
    "log_sigmoid": ((None, 0), RISES, 0.5, False, 1, ["right"]),
    "tanh_shrink": ((None, None), RISES, 0, False, 1, []),
    "soft_shrink": ((None, None), RISES, 0, False, 1, []),
    "hard_shrink": ((None, None), RISES, 0, False, 1, []),
    "sine": ((-1, 1), NEITHER, 1, True, 1, []),
}
ZERO_CENTRED = {"linear", "tanh", "hard_tanh", "softsign", "sine", "selu", "tanh_shrink", "soft_shrink", "hard_shrink"}


def test_properties_are_known_of_all_elementwise_functions() -> None:
    assert KNOWN.keys() == {name for name, row in CATALOGUE.items() if row.elementwise}


@pytest.mark.parametrize("name", KNOWN)
def test_properties_of_the_catalogue_are_the_known_ones(name: str) -> None:
    table = of_row(name)
    limits, monotonic, slope, near_identity, largest, sides = KNOWN[name]
    assert table.defined
    assert table.range == pytest.approx(limits, abs=2e-6)
    assert table.bounded == (None not in limits)
    assert (table.monotonic, table.near_identity, table.saturating_sides) == (monotonic, near_identity, sides)
    assert table.slope_at_0 == (None if slope is None else pytest.approx(slope, rel=1e-6))
    assert table.differentiable_at_0 == (slope is not None)
    assert table.largest_slope == (None if largest is None else pytest.approx(largest, rel=2e-6))
    assert table.zero_centred == (name in ZERO_CENTRED)


@pytest.mark.parametrize("row", [row for row in CATALOGUE.values() if row.non_decreasing], ids=lambda row: row.name)
def test_properties_confirm_rows_that_are_declared_non_decreasing(row: Any) -> None:
    for p in (*row.parameters, None):
        for value in (p.minimum, p.maximum) if p else (0.0,):
            parameters = {p.name: value} if p else {}
            assert properties(row.expression, row.values(**parameters)).monotonic == "non_decreasing"


def test_properties_of_swish_approach_linear_and_relu() -> None:
    assert of_row("swish", beta=0.0).monotonic == "non_decreasing"
    assert of_row("swish", beta=100.0).range == pytest.approx((-0.00278465, None), abs=1e-7)


def test_properties_mean_of_normal() -> None:
    assert of("maximum(x, 0)").mean_of_normal == pytest.approx(1 / math.sqrt(2 * math.pi), abs=1e-7)
    assert of("x * x").mean_of_normal == pytest.approx(1, abs=1e-7)
    assert of("exp(x)").mean_of_normal == pytest.approx(math.exp(0.5), abs=1e-6)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", {"range": (3, 3), "monotonic": "constant", "largest_slope": 0, "zero_centred": False}),
        ("-x", {"monotonic": "non_increasing", "zero_centred": True, "slope_at_0": -1, "near_identity": False}),
        ("x * x", {"range": (0, None), "differentiable_at_0": True, "largest_slope": None, "saturating_sides": []}),
        ("x * abs(x)", {"differentiable_at_0": True, "slope_at_0": 0, "monotonic": "non_decreasing"}),
        ("abs(x)", {"differentiable_at_0": False, "slope_at_0": None, "value_at_0": 0, "range": (0, None)}),
        ("where(x > 0, x, 0.999 * x)", {"differentiable_at_0": False, "near_identity": False}),
        ("exp(x)", {"range": (0, None), "bounded": False, "largest_slope": None, "saturating_sides": ["left"]}),
        ("exp(-x * x)", {"range": (0, 1), "bounded": True, "saturating_sides": ["left", "right"]}),
        ("log1p(abs(x))", {"range": (0, None), "bounded": False, "saturating_sides": ["left", "right"]}),
        ("atan(x)", {"range": (-1.570796, 1.570796), "bounded": True, "near_identity": True}),
        ("sign(x) * abs(x)", {"differentiable_at_0": True, "slope_at_0": 1, "near_identity": True}),
        ("sign(x) * log(1 + abs(x))", {"differentiable_at_0": True, "slope_at_0": 1, "near_identity": True}),
        ("cbrt(8 * x ** 3)", {"differentiable_at_0": True, "slope_at_0": 2, "near_identity": False}),
        ("log(x + 1)", {"saturating_sides": ["right"], "slope_at_0": 1}),
        ("x + log(3 - x)", {"saturating_sides": []}),
        ("log(x)", {"saturating_sides": ["right"]}),
        ("log(x)", {"defined": False, "monotonic": None, "mean_of_normal": None, "zero_centred": None}),
        ("1 / x", {"range": (None, None), "value_at_0": None, "monotonic": None, "largest_slope": None}),
        ("sqrt(x)", {"defined": False, "value_at_0": 0, "differentiable_at_0": False}),
        ("x / (x - x)", {"defined": False, "range": (None, None), "largest_slope": None}),
        ("softmax(x)", dict.fromkeys(Properties.model_fields)),
    ],
)  # fmt: skip
def test_properties_of_edge_cases(text: str, expected: dict[str, Any]) -> None:
    table = of(text)
    for name, value in expected.items():
        assert getattr(table, name) == (pytest.approx(value, abs=1e-6) if name == "range" and value else value), name


@pytest.mark.parametrize(
    ("text", "slope"),
    [
        ("where(x > 0, sqrt(x), -sqrt(-x))", None),
        ("where(x > 0, x ** 0.3, -(-x) ** 0.3)", None),
        ("where(abs(x) > 0, x * log(abs(x)), 0)", None),  # its slope grows as slowly as a logarithm
        ("where(x > 0, sqrt(x), -sqrt(-x)) + 3", None),
        ("x * sqrt(abs(x))", 0),
        ("x * abs(x) ** 0.25 + 2", 0),
        ("1000 * tanh(1000 * x)", 1e6),
        ("1e6 + x", 1),
        ("x ** 3 + 2 * x", 2),
    ],
)
def test_properties_differentiable_at_0_is_false_at_a_vertical_tangent(text: str, slope: float | None) -> None:
    table = of(text)
    assert table.differentiable_at_0 == (slope is not None)
    assert table.slope_at_0 == (None if slope is None else pytest.approx(slope))


@pytest.mark.parametrize(
    ("text", "undefined", "limits"),
    [
        ("1 / x", [(0, 0)], (None, None)),
        ("x / abs(x)", [(0, 0)], (-1, 1)),
        ("log(x)", [(None, 0)], (None, None)),
        ("sqrt(x)", [(None, 0)], (0, None)),
        ("log1p(-x)", [(1, None)], (None, None)),
        ("sqrt(x * x - 2)", [(-math.sqrt(2), math.sqrt(2))], (0, None)),
        ("1 / (x * x - 2)", [(-math.sqrt(2),) * 2, (math.sqrt(2),) * 2], (None, None)),  # next to the grid's points
        ("(x - 1.2345678) ** -2", [(1.234568, 1.234568)], (0, None)),  # without a change of sign
        ("log(abs(x - 1.2345678))", [(1.234568, 1.234568)], (None, None)),
        ("x / (cos(x) * (x < 4) * (x > 0) + (x >= 4) + (x <= 0))", [(math.pi / 2,) * 2], (None, None)),
        ("0 / 0", [(None, None)], (None, None)),
        ("where(x > 0, 1 / x, 0)", [], (0, None)),
        ("where(x >= 0, 1 / x, 0)", [(0, 0)], (0, None)),
        ("1 / where(x > 0.3, 1, -1)", [], (-1, 1)),  # the divisor jumps over 0
        ("1 / ((x - 1.2345678) ** 2 + 1e-3)", [], (0, 1000)),
    ],
)  # fmt: skip
def test_properties_undefined(text: str, undefined: list[Any], limits: Any) -> None:
    table = of(text)
    assert len(table.undefined or []) == len(undefined)
    for gap, expected in zip(table.undefined or [], undefined, strict=True):
        assert gap == pytest.approx(expected, abs=1e-5)
    assert table.defined == (not undefined)
    assert table.range == pytest.approx(limits, abs=2e-6)
    if undefined:
        assert (table.monotonic, table.mean_of_normal, table.zero_centred) == (None, None, None)


@pytest.mark.parametrize(
    ("text", "undefined", "limits"),
    [
        ("exp(x)", [(88.72284, None)], (0, None)),  # the largest number of float32 is exp(88.72)
        ("1 / exp(-x)", [(88.72284, None)], (0, None)),
        ("exp(-x) / exp(-3 * x)", [(44.01, None)], (0, None)),  # its slope is twice its value
        ("x ** 20", [(None, -84.45), (84.45, None)], (0, None)),
        ("exp(exp(x))", [(4.434, None)], (1, None)),
        ("sinh(x)", [(None, -89.416), (89.416, None)], (None, None)),
        ("exp(x) * sqrt(x - 90)", [(None, None)], (0, None)),
        ("9 ** 9 ** 9 ** 9", [(None, None)], (None, None)),
        ("log(0.7 * x * exp(x * x) + exp(x * x)) / 2", [(None, -1 / 0.7)], (None, None)),
    ],
)
def test_properties_undefined_tells_where_float32_overflows(text: str, undefined: list[Any], limits: Any) -> None:
    table = properties(stable(parse(text)), {})
    assert not table.defined
    assert len(table.undefined or []) == len(undefined)
    for gap, expected in zip(table.undefined or [], undefined, strict=True):
        assert gap == pytest.approx(expected, abs=0.01)


def test_properties_of_an_overflowing_function_are_its_own() -> None:
    table = of("exp(x)")
    assert (table.range, table.monotonic) == ((0, None), "non_decreasing")
    assert table.mean_of_normal == pytest.approx(math.exp(0.5))


@pytest.mark.parametrize(
    ("text", "sides", "limits"),
    [
        ("log(0.5 * exp(x) + 0.5)", ["left"], (-math.log(2), None)),
        ("log(3 * exp(2 * x) + exp(-x) / 4)", [], (0.078522, None)),
        ("log10(1 + exp(-x)) / 2", ["right"], (0, None)),
        ("log(1 + exp(x) + exp(2 * x))", ["left"], (0, None)),
        ("log1p(exp(x) / 3)", ["left"], (0, None)),
        ("log(cosh(x))", [], (0, None)),
        ("x * exp(x) / (1 + exp(x))", ["left"], (-0.278465, None)),
        ("exp(x) * (x / (exp(x) + 1))", ["left"], (-0.278465, None)),
        ("x / (1 + 1 / exp(x))", ["left"], (-0.278465, None)),
        ("exp(x) / (2 + exp(x))", ["left", "right"], (0, 1)),
        ("x * ((1 + exp(x)) ** 2 - 1) / ((1 + exp(x)) ** 2 + 1)", ["left"], (-0.308843, None)),
        ("(exp(x) - 1) / (exp(x) + 2)", ["left", "right"], (-0.5, 1)),
        ("exp(x) / sqrt(1 + exp(2 * x))", ["left", "right"], (0, 1)),
        ("sinh(x) / (1 + cosh(x))", ["left", "right"], (-1, 1)),
        ("e ** x / (3 + e ** x)", ["left", "right"], (0, 1)),
    ],
)
def test_properties_of_functions_of_exponentials_that_stay_finite(text: str, sides: list[str], limits: Any) -> None:
    table = properties(stable(parse(text)), {})
    assert table.defined, table.undefined
    assert table.saturating_sides == sides
    assert table.range == pytest.approx(limits, abs=2e-6)


def test_properties_undefined_lists_the_poles_nearest_to_0() -> None:
    table = of("sin(x) / cos(x)")
    assert table.undefined is not None
    multiples = [(first or 0) / math.pi + 0.5 for first, _ in table.undefined]
    assert multiples == pytest.approx([round(multiples[0]) + k for k in range(9)], abs=1e-5)
    assert round(multiples[0]) in (-4, -3)
    assert (table.range, table.largest_slope) == ((None, None), None)


@pytest.mark.parametrize(
    ("text", "mean"),
    [
        ("where(x > 0.3, 1, 0)", 0.3820885778110474),  # 1 - Phi(0.3)
        ("abs(x - 1 / 3)", 0.8418056),  # 2 phi(1/3) + (2 Phi(1/3) - 1) / 3
        ("where(abs(x) > 0.3, x, 0)", 0),
        ("x ** 50", math.prod(range(1, 50, 2))),
        ("where(x > 0, 1 / x, 0)", None),  # defined everywhere, and not integrable
        ("exp(x * x)", None),
        ("sin(1e6 * x)", None),  # finer than anything measured
    ],
)
def test_properties_mean_of_normal_is_right_or_none(text: str, mean: float | None) -> None:
    assert of(text).mean_of_normal == (None if mean is None else pytest.approx(mean, rel=1e-6, abs=1e-7))


@pytest.mark.parametrize("text", ["x ** 50", "1 / x", "log(x)", "exp(exp(x))", "x / (x - x)", "0 / 0", "sqrt(-1)"])
def test_properties_are_json(text: str) -> None:
    assert not {"NaN", "Infinity"} & set(of(text).model_dump_json().replace(",", " ").replace(":", " ").split())
    assert Properties.model_validate_json(of(text).model_dump_json()) == of(text)
