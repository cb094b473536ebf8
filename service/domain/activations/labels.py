"""Labels of activations as LaTeX."""

import re

from service.domain.formulas.latex import latex
from service.domain.formulas.parser import parse
from service.domain.formulas.tokens import FormulaError

_LABEL = re.compile(r"(?P<formula>.+?)(?: \((?P<parameters>\w+=[^()]*)\))?", re.DOTALL)


def label_latex(label: str) -> str | None:
    """Return the label of a formula, such as `x * sigmoid(a * x) (a=2 learnable)`, as LaTeX with math in it.

    None for a label that is no formula: the name of a function, with parameters or without.
    """
    match = _LABEL.fullmatch(label)
    if match is None:
        return None
    parameters = [part.partition("=") for part in (match["parameters"] or "").split(", ") if part]
    names = [name for name, _, _ in parameters]
    try:
        formula = latex(parse(match["formula"], names))
        values = [f"${latex(parse(name, names))} = {_value(text)}" for name, _, text in parameters]
    except FormulaError:
        return None
    return f"${formula}$" + (f" ({', '.join(values)})" if values else "")


def _value(text: str) -> str:
    """Return the value of a parameter, as the rest of the math that its name begins."""
    number, _, learnable = text.partition(" ")
    return f"{latex(parse(number))}$" + (f" {learnable}" if learnable else "")
