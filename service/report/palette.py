"""The pages' colours on a light ground, for figures that Python draws: both read palette.json.

The client's plots use this module too, so that it imports no other and no library.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

_PALETTE = json.loads((Path(__file__).parent.parent / "dashboard/app/charts/palette.json").read_text())
_MARKERS = {"circle": "o", "rect": "s", "triangle": "^", "diamond": "D"}


class _Named(NamedTuple):
    hue: str
    symbol: str


HUES: dict[str, str] = {name: colors["light"] for name, colors in _PALETTE["hues"].items()}
SYMBOLS: list[str] = _PALETTE["symbols"]
OF_ACTIVATION = {name: _Named(**style) for name, style in _PALETTE["activations"].items()}


@dataclass(frozen=True)
class Style:
    color: str
    marker: str  # matplotlib's


def style_of(factors: Mapping[str, object], place: int) -> Style:
    """Return a group's style: its activation's own where groups differ in nothing else, otherwise the next in order."""
    label = factors.get("activation")
    named = OF_ACTIVATION.get(str(label).split("(")[0].strip()) if len(factors) == 1 else None
    hue, symbol = named or _nth(place)
    return Style(HUES[hue], _MARKERS[symbol])


def _nth(place: int) -> _Named:
    hues = list(HUES)
    return _Named(hues[place % len(hues)], SYMBOLS[place // len(hues) % len(SYMBOLS)])
