"""Curves in a terminal: sparklines of one row, and plots of dots."""

import math
from collections.abc import Sequence
from itertools import pairwise

from rich.text import Text

BLOCKS = "▁▂▃▄▅▆▇█"
Figures = Sequence[float | None]

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bits of the eight dots of a braille character (U+2800), by row and column. Source: the Unicode standard."""


def sparkline(figures: Figures, width: int = 20) -> str:
    """Return a row of blocks, from the least figure to the largest; the mean of neighbours where there are more than
    `width`, and a space for figures that are missing or not finite."""
    means = [_mean(part) for part in _parts(figures, width)]
    finite = [mean for mean in means if mean is not None]
    if not finite:
        return ""
    low, high = min(finite), max(finite)
    return "".join(" " if mean is None else BLOCKS[_level(mean, low, high)] for mean in means)


def _level(figure: float, low: float, high: float) -> int:
    return 0 if high == low else round((figure - low) / (high - low) * (len(BLOCKS) - 1))


def _parts(figures: Figures, width: int) -> list[Figures]:
    """Return the figures in order, in at most `width` parts of about equal length."""
    count = min(len(figures), width)
    edges = [round(number * len(figures) / count) for number in range(count + 1)] if count else []
    return [figures[first:last] for first, last in pairwise(edges)]


def _mean(figures: Figures) -> float | None:
    finite = _finite(figures)
    return sum(finite) / len(finite) if finite else None


def _finite(figures: Figures) -> list[float]:
    return [figure for figure in figures if figure is not None and math.isfinite(figure)]


class Canvas:
    """A rectangle of braille characters, each of two by four dots, over a range of x and y."""

    def __init__(self, width: int, height: int, x: tuple[float, float], y: tuple[float, float]) -> None:
        self.width, self.height = width, height
        self._x, self._y = x, y
        self._cells = [[0] * width for _ in range(height)]
        self._styles = [[""] * width for _ in range(height)]

    def curve(self, xs: Sequence[float], ys: Figures, style: str) -> None:
        """Draw the points of a curve and the lines between neighbours; a missing figure leaves a gap."""
        points = [None if y is None else self._place(x, y) for x, y in zip(xs, ys, strict=True)]
        for first, last in pairwise(points):
            if first is not None and last is not None:
                self._line(first, last, style)

    def axes(self, style: str = "dim") -> None:
        """Draw the axes x = 0 and y = 0 where they are in range, as rows of single dots."""
        column, row = self._place(0.0, 0.0)
        if 0 <= row < 4 * self.height:
            for place in range(0, 2 * self.width, 2):
                self._dot(place, row, style)
        if 0 <= column < 2 * self.width:
            for place in range(0, 4 * self.height, 2):
                self._dot(column, place, style)

    def lines(self) -> list[Text]:
        """Return the rows from the top to the bottom."""
        return [
            Text.assemble(*((chr(0x2800 + bits), style) for bits, style in zip(cells, styles, strict=True)))
            for cells, styles in zip(self._cells, self._styles, strict=True)
        ]

    def _place(self, x: float, y: float) -> tuple[int, int]:
        across = (x - self._x[0]) / (self._x[1] - self._x[0])
        down = (self._y[1] - y) / (self._y[1] - self._y[0])
        return round(across * (2 * self.width - 1)), round(down * (4 * self.height - 1))

    def _line(self, first: tuple[int, int], last: tuple[int, int], style: str) -> None:
        steps = max(abs(last[0] - first[0]), abs(last[1] - first[1]), 1)
        for step in range(steps + 1):
            share = step / steps
            column, row = (round(a + (b - a) * share) for a, b in zip(first, last, strict=True))
            self._dot(column, row, style)

    def _dot(self, column: int, row: int, style: str) -> None:
        if 0 <= column < 2 * self.width and 0 <= row < 4 * self.height:
            self._cells[row // 4][column // 2] |= DOTS[row % 4][column % 2]
            self._styles[row // 4][column // 2] = style


def plot(xs: Sequence[float], curves: Sequence[tuple[str, Figures, str]], width: int, height: int = 16) -> Text:
    """Return a plot of curves, each with its name, figures and style, with the ends of both axes and a legend.

    `xs` rises. The range of y holds every finite figure. `width` is that of the whole picture, in columns.
    """
    figures = [y for _, ys, _ in curves for y in _finite(ys)]
    if not figures:
        return Text("There is no finite value to draw.")
    low, high = min(figures), max(figures)
    low, high = (low - 1, high + 1) if low == high else (low, high)
    labels = (f"{high:.3g}", f"{low:.3g}")
    margin = max(map(len, labels))
    canvas = Canvas(max(width - margin - 1, 10), height, (xs[0], xs[-1]), (low, high))
    canvas.axes()
    for _, ys, style in curves:
        canvas.curve(xs, ys, style)
    rows = _labelled(canvas.lines(), labels, margin)
    return Text("\n").join([*rows, _ends(xs, margin, canvas.width), _legend(curves)])


def _labelled(lines: list[Text], labels: tuple[str, str], margin: int) -> list[Text]:
    texts = [labels[0], *[""] * (len(lines) - 2), labels[1]]
    return [Text.assemble((f"{text:>{margin}} ", "dim"), line) for text, line in zip(texts, lines, strict=True)]


def _ends(xs: Sequence[float], margin: int, width: int) -> Text:
    first, last = f"{xs[0]:g}", f"{xs[-1]:g}"
    return Text(" " * (margin + 1) + first + last.rjust(width - len(first)), "dim")


def _legend(curves: Sequence[tuple[str, Figures, str]]) -> Text:
    return Text("   ").join(Text.assemble(("━ ", style), name) for name, _, style in curves)
