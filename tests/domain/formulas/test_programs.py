"""Programs of formulas: each operation once, and only those that value and slopes need."""

import pytest

from service.domain.formulas.parser import parse
from service.domain.formulas.programs import INPUT, PRODUCT_OR_ZERO, READ, TEST, Program, program_of


def functions(program: Program) -> list[str]:
    return sorted(program.steps[index].function for index in program.varying if program.steps[index].function != READ)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("tanh(x) * tanh(x)", ["*", "tanh"]),
        ("sin(x) + sin(x) ** 2", ["+", "power", "sin"]),
        ("where(x > 0, x, exp(x))", ["exp", TEST + ">", "where"]),
        ("linear(x) + 1", ["+"]),
    ],
)
def test_program_of_computes_each_operation_once(text: str, steps: list[str]) -> None:
    assert functions(program_of(parse(text), {})) == steps


def test_program_of_shares_operations_between_value_and_slope() -> None:
    program = program_of(parse("exp(2 * x)"), {}, slopes_by=[INPUT], guarded=False)
    assert functions(program) == ["*", "*", "exp"]  # 2 x, its exponential, and twice that


def test_program_of_leaves_out_what_no_result_needs() -> None:
    program = program_of(parse("x + 3"), {}, slopes_by=[INPUT])
    assert program.slopes == {INPUT: 1.0}
    assert functions(program) == ["+"]


def test_program_of_guards_products_that_may_overflow() -> None:
    assert PRODUCT_OR_ZERO in functions(program_of(parse("exp(-exp(x))"), {}, slopes_by=[INPUT]))
    assert PRODUCT_OR_ZERO not in functions(program_of(parse("exp(-exp(x))"), {}, slopes_by=[INPUT], guarded=False))
    assert PRODUCT_OR_ZERO not in functions(program_of(parse("tanh(sin(x))"), {}, slopes_by=[INPUT]))
    large = program_of(parse("a * x * x", ["a"]), {"a": 1e5}, slopes_by=[INPUT])
    assert program_of(parse("a * x * x", ["a"]), {"a": 2.0}, slopes_by=[INPUT]) != large


def test_program_of_has_a_slope_by_each_input() -> None:
    program = program_of(parse("sin(a * x)", ["a"]), {}, ["a"], [INPUT, "a"])
    assert program.slopes.keys() == {INPUT, "a"}
    assert program_of(parse("sin(a * x)", ["a"]), {}, ["a"], ["a"]).slopes.keys() == {"a"}


def test_program_of_spreads_learned_parameters() -> None:
    tree = parse("x + sin(a)", ["a"])
    assert "sin" not in functions(program_of(tree, {}, ["a"]))
    assert "sin" in functions(program_of(tree, {}, ["a"], spread=True))
