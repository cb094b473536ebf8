"""Formulas as LaTeX."""

import pytest
from hypothesis import given

from service.domain.formulas.expression import Expression
from service.domain.formulas.latex import latex
from service.domain.formulas.parser import parse
from tests.domain.formulas.generating import trees


@pytest.mark.parametrize(
    ("text", "tex"),
    [
        ("x * sigmoid(beta * x)", r"x \, \sigma\left(\beta \, x\right)"),
        ("(x + 1) / 2", r"\frac{x + 1}{2}"),
        ("x * 2", r"x \cdot 2"),
        ("(x + 1) ** 2", r"{\left(x + 1\right)}^{2}"),
        ("-(x + 1)", r"-\left(x + 1\right)"),
        ("x - (1 - x)", r"x - \left(1 - x\right)"),
        ("exp(-x) ** 2", r"{\left(e^{-x}\right)}^{2}"),
        ("2 * expm1(x)", r"2 \, \left(e^{x} - 1\right)"),
        ("log1p(x)", r"\ln\left(1 + x\right)"),
        ("sqrt(abs(x))", r"\sqrt{\left|x\right|}"),
        ("slope_1 * 1e-7", r"\mathrm{slope\_1} \cdot 1 \cdot 10^{-7}"),
        ("123456789 * x", r"123456789 \, x"),
        ("123456789012345678901 * x", r"1.2346 \cdot 10^{20} \, x"),
        ("2 * 3 ** x", r"2 \cdot {3}^{x}"),
        ("minimum(x, 1)", r"\min\left(x, 1\right)"),
        ("where(x >= 0, x, 0)", r"\begin{cases}x & \text{if } x \ge 0 \\ 0 & \text{otherwise}\end{cases}"),
        ("x * x", "x^2"),
        ("x ** 2", "x^2"),
        ("x * x * x - x * (x * beta) * x", r"x^3 - x^2 \, \beta \, x"),
        ("x ** 10", r"{x}^{10}"),
        ("(x + 1) * (x + 1) / 2", r"\frac{{\left(x + 1\right)}^{2}}{2}"),
        ("x ** (1/2)", r"{x}^{\frac{1}{2}}"),
        ("x / 6 + 0.5", r"\frac{x}{6} + \frac{1}{2}"),
        ("0.5 ** x", r"{\left(\frac{1}{2}\right)}^{x}"),
        ("1.0507009873554805 * x", r"1.0507 \, x"),
        ("123456 * x + 0.1", r"123456 \, x + 0.1"),
        (
            "where(x > 3, 1, where(x > 0, x, 0))",
            r"\begin{cases}1 & \text{if } x > 3 \\ x & \text{if } x > 0 \\ 0 & \text{otherwise}\end{cases}",
        ),
        (
            "where(x > 0, where(x < 6, x, 6), 0)",
            r"\begin{cases}x & \text{if } x > 0 \text{ and } x < 6 \\ 6 & \text{if } x > 0 \\"
            r" 0 & \text{otherwise}\end{cases}",
        ),
        ("where(x, 1, 0)", r"\begin{cases}1 & \text{if } x \ne 0 \\ 0 & \text{otherwise}\end{cases}"),
    ],
)
def test_latex(text: str, tex: str) -> None:
    assert latex(parse(text, ["beta", "slope_1"])) == tex


@given(trees())
def test_latex_is_balanced(tree: Expression) -> None:
    tex = latex(tree)
    assert tex.count("{") == tex.count("}")
    assert tex.count(r"\left") == tex.count(r"\right")
    assert tex.count(r"\begin{cases}") == tex.count(r"\end{cases}")
    assert tex.isascii()
