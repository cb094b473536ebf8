"""Sparklines and plots of dots, by characters computed by hand."""

import math

import pytest

from actlab.cli.charts import Canvas, Figures, plot, sparkline


@pytest.mark.parametrize(
    ("figures", "line"),
    [([], ""), ([None, math.nan], ""), ([1.0], "▁"), ([2.0, 2.0], "▁▁"), ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"),
     ([0.0, None, 7.0], "▁ █"), ([7.0, math.inf, 0.0], "█ ▁")],
    ids=["empty", "nothing finite", "one", "equal", "rising", "a gap", "infinite"],
)  # fmt: skip
def test_sparkline_draws_figures_between_the_least_and_the_largest(figures: Figures, line: str) -> None:
    assert sparkline(figures) == line


def test_sparkline_draws_means_of_neighbours_where_there_are_more_than_its_width() -> None:
    assert sparkline([0, 2, 6, 8, 100, 100], width=3) == "▁▁█"  # the means are 1, 7 and 100
    assert len(sparkline(list(range(1000)), width=20)) == 20


def test_canvas_draws_the_diagonal_of_one_character() -> None:
    canvas = Canvas(1, 1, (0, 1), (0, 3))
    canvas.curve([0, 1], [0, 3], "")
    (line,) = canvas.lines()
    # The line from the lower left dot 7 to the upper right dot 4: rows 3 and 2 on the left, 1 and 0 on the right.
    assert line.plain == chr(0x2800 + 0x40 + 0x04 + 0x10 + 0x08)


def test_canvas_leaves_a_gap_for_a_missing_figure() -> None:
    canvas = Canvas(2, 1, (0, 3), (0, 3))
    canvas.curve([0, 1, 2, 3], [0, None, 0, 0], "")
    (line,) = canvas.lines()
    assert line.plain == chr(0x2800) + chr(0x2800 + 0x40 + 0x80)


def test_plot_fits_its_width_and_names_its_curves_and_ends() -> None:
    xs = [float(x) for x in range(-6, 7)]
    lines = plot(xs, [("f", [max(0, x) for x in xs], "cyan"), ("f'", [None] * len(xs), "")], 60, 8).plain.split("\n")
    assert len(lines) == 10
    assert max(map(len, lines)) == 60
    assert lines[0].startswith("6 ")
    assert lines[7].startswith("0 ")
    assert (lines[8].split(), lines[9].split()) == (["-6", "6"], ["━", "f", "━", "f'"])


def test_plot_says_that_there_is_nothing_to_draw() -> None:
    assert "no finite value" in plot([0, 1], [("f", [None, math.nan], "")], 60).plain
