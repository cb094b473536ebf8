"""Labels of formulas as LaTeX."""

import pytest

from service.domain.activations.labels import label_latex
from service.domain.activations.selection import ActivationSpec

LEARNED = {"formula": "x * sigmoid(alpha * x)", "parameters": {"alpha": {"value": 0.5, "learnable": True}}}


@pytest.mark.parametrize(
    ("label", "latex"),
    [
        ("x * x", "$x^2$"),
        (ActivationSpec.model_validate(LEARNED).label,
         r"$x \, \sigma\left(\alpha \, x\right)$ ($\alpha = \frac{1}{2}$ learnable)"),
        ("tanh(a * x + b) (a=2, b=-1)", r"$\tanh\left(a \, x + b\right)$ ($a = 2$, $b = -1$)"),
    ],
)  # fmt: skip
def test_label_latex_of_formulas(label: str, latex: str) -> None:
    assert label_latex(label) == latex


@pytest.mark.parametrize("label", ["relu", "swish(beta=2)", "mine v2", "", "100%", "$x$", "x (", "\\input{a}"])
def test_label_latex_of_names_is_none(label: str) -> None:
    assert label_latex(label) is None
