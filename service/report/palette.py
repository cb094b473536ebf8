"""The pages' colours on a light ground, for figures that are drawn here: service/dashboard/app/palette.js says the
same, and a test holds the two equal."""

from collections.abc import Mapping
from dataclasses import dataclass

from service.domain.comparisons.cells import Factors

HUES = {
    "blue": "#0072b2", "vermilion": "#c9540a", "green": "#00825c", "amber": "#a67300", "magenta": "#ad3f8c",
    "grey": "#626a73", "indigo": "#5a50c8", "teal": "#0b7a8a", "olive": "#67750a", "wine": "#8f3b34",
}  # fmt: skip
SYMBOLS = ("circle", "rect", "triangle", "diamond")
OF_ACTIVATION: Mapping[str, tuple[str, int]] = {
    "relu": ("blue", 0), "sigmoid": ("vermilion", 1), "tanh": ("green", 2), "leaky_relu": ("amber", 3),
    "swish": ("magenta", 0), "linear": ("grey", 1), "softplus": ("teal", 2), "step": ("wine", 1),
    "softmax": ("olive", 3), "gelu": ("indigo", 0), "swish2": ("magenta", 2), "silu": ("magenta", 3),
    "mish": ("wine", 2), "elu": ("teal", 0), "selu": ("olive", 0), "prelu": ("amber", 0), "rrelu": ("amber", 1),
    "relu6": ("blue", 1), "relu_squared": ("blue", 2), "celu": ("teal", 3), "hard_sigmoid": ("vermilion", 2),
    "hard_tanh": ("green", 1), "softsign": ("green", 3), "sine": ("indigo", 2), "gelu_tanh": ("indigo", 3),
    "hard_swish": ("magenta", 1), "log_sigmoid": ("vermilion", 3), "tanh_shrink": ("grey", 2),
    "soft_shrink": ("grey", 3), "hard_shrink": ("grey", 0),
}  # fmt: skip
_MARKERS = {"circle": "o", "rect": "s", "triangle": "^", "diamond": "D"}


@dataclass(frozen=True)
class Style:
    color: str
    marker: str  # matplotlib's


def style_of(factors: Factors, place: int) -> Style:
    """An activation has its own style where groups differ in nothing else; other groups take theirs in order."""
    label = factors.get("activation")
    known = OF_ACTIVATION.get(str(label).split("(")[0].strip()) if len(factors) == 1 else None
    names = list(HUES)
    hue, symbol = known or (names[place % len(names)], place // len(names) % len(SYMBOLS))
    return Style(HUES[hue], _MARKERS[SYMBOLS[symbol]])
