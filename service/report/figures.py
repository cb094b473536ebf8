"""Figures as SVG text. Each gives n and the meaning of its interval; text is drawn as outlines, so that no font is
needed."""

import io
from collections.abc import Sequence
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.typing import RcKeyType

from service.domain.comparisons.answer import Comparison, Group
from service.domain.comparisons.cells import Cell, Factors, key
from service.domain.comparisons.cliques import mean_ranks, not_different
from service.domain.comparisons.curves import Curve, Curves
from service.domain.report import name_of
from service.report.palette import Style, style_of

MOST_CURVES = 12
"""Groups drawn in one panel; more cannot be told apart."""

LONGEST_NAME = 36
"""Characters of a group's name in a figure."""

BAR_STEP, NAME_STEP = 0.32, 0.75
"""Distances between the bars and the names of the figure of ranks, in units of its height."""

STYLE: dict[RcKeyType, Any] = {
    "svg.fonttype": "path",
    "svg.hashsalt": "actlab",  # the same figures make the same bytes
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a929b",
    "axes.grid": True,
    "grid.color": "#e3e7eb",
    "grid.linewidth": 0.7,
    "text.color": "#1c2127",
    "axes.labelcolor": "#1c2127",
    "xtick.color": "#4d555e",
    "ytick.color": "#4d555e",
}
PERCENT = {"fraction": 100.0}


def seeds_figure(comparison: Comparison, cells: Sequence[Cell]) -> str:
    """Draw every seed of every group as a dot, beside the mean and its 95 % interval; best mean on top."""
    values_of = {key(cell.factors): cell.values for cell in cells}
    groups = [group for group in comparison.groups if group.mean is not None]
    scale = PERCENT.get(comparison.family.unit, 1.0)
    with rc_context(STYLE):
        figure = Figure(figsize=(7.2, 0.9 + 0.36 * max(2, len(groups))), layout="constrained")
        axes = figure.subplots()
        for place, group in enumerate(groups):
            style, y = style_of(group.factors, place), -place
            values = [scale * value for value in values_of[key(group.factors)].values()]
            axes.plot(values, [y + 0.16] * len(values), style.marker, color=style.color, ms=4.5, mfc="none", alpha=0.8)
            if group.interval is not None:
                axes.plot([scale * end for end in group.interval], [y - 0.14] * 2, color=style.color, lw=2.2)
            axes.plot([scale * (group.mean or 0.0)], [y - 0.14], "|", color=style.color, ms=11, mew=2.2)
        axes.set_yticks([-place for place in range(len(groups))])
        axes.set_yticklabels([f"{_short_name(group.factors)}  (n = {group.n})" for group in groups])
        axes.set_xlabel(f"{comparison.family.title}{' (%)' if scale != 1 else f' ({comparison.family.unit})'}")
        axes.set_ylim(-len(groups) + 0.4, 0.6)
        return _svg(figure)


def ranks_figure(comparison: Comparison, cells: Sequence[Cell]) -> str:
    """Draw groups by their mean rank over the seeds that all have, best on the left, as Demsar 2006 (JMLR 7) does.

    A bar joins groups of which no pair is better or worse; its dots mark these groups, since a bar may pass one that is
    not of them. The verdicts are those of the comparison, not of the ranks.
    """
    means = mean_ranks(comparison, cells)
    joined = not_different(comparison)
    rows = (len(means) + 1) // 2  # of names, on each side
    bottom = -BAR_STEP * (len(joined) + 1)
    with rc_context(STYLE):
        figure = Figure(figsize=(7.2, 0.6 + 0.3 * (NAME_STEP * rows - bottom)), layout="constrained")
        axes = figure.subplots()
        for place, (index, rank) in enumerate(sorted(means.items(), key=lambda item: item[1])):
            on_left = place < rows
            row = place if on_left else len(means) - 1 - place
            end = 1 - 0.12 * len(means) if on_left else 1.12 * len(means)
            _rank_name(axes, comparison.groups[index], rank, bottom - NAME_STEP * row, index, end)
        for row, clique in enumerate(joined, 1):
            places = sorted(means[index] for index in clique)
            axes.plot(places, [-BAR_STEP * row] * len(places), "-o", color="#1c2127", lw=2.6, ms=4)
        axes.set_ylim(bottom - NAME_STEP * rows, 0)
        _rank_axis(axes, len(means))
        return _svg(figure)


def _rank_name(axes: Axes, group: Group, rank: float, y: float, place: int, end: float) -> None:
    """Draw a line from a rank to the name of its group at `end`, on whose side of the ranks the text lies."""
    axes.plot([rank, rank, end], [0, y, y], color=style_of(group.factors, place).color, lw=1.1)
    name = f" {_short_name(group.factors)} ({rank:.3g}) "
    axes.text(end, y, name, ha="right" if end < 1 else "left", va="center", color="#1c2127")


def _rank_axis(axes: Axes, groups: int) -> None:
    axes.set_xlim(1 - 0.12 * groups, 1.12 * groups)
    axes.set_xticks(range(1, groups + 1))
    axes.set_yticks([])
    axes.set_xlabel("mean rank over seeds, best on the left")
    axes.xaxis.set_label_position("top")
    axes.xaxis.tick_top()
    axes.grid(visible=False)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.spines["top"].set_visible(True)
    axes.spines["top"].set_bounds(1, groups)


def curves_figure(all_curves: Sequence[Curves]) -> str:
    """Draw mean curves per group with Student-t 95 % bands, one panel for each metric."""
    with rc_context(STYLE):
        rows = (len(all_curves) + 1) // 2
        figure = Figure(figsize=(7.8, 0.6 + 2.7 * rows), layout="constrained")
        panels = list(figure.subplots(rows, 2, squeeze=False).flat)
        for axes, curves in zip(panels, all_curves, strict=False):
            _panel(axes, curves)
        for axes in panels[len(all_curves) :]:
            axes.set_axis_off()
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
        return _svg(figure)


def _panel(axes: Axes, curves: Curves) -> None:
    scale = PERCENT.get(curves.unit, 1.0)
    for place, curve in enumerate(curves.groups[:MOST_CURVES]):
        _draw(axes, curve, style_of(curve.factors, place), scale)
    own = [curve.factors for curve in curves.groups]
    published_curves = [] if curves.reference is None else curves.reference.curves
    for published in (curve for curve in published_curves if curve.factors in own):
        style = style_of(published.factors, 0)
        values = [scale * value for value in published.values]
        axes.plot(published.epochs, values, color=style.color, lw=1, ls=(0, (4, 3)), alpha=0.8)
    axes.set_title(f"{curves.title} ({'%' if scale != 1 else curves.unit})", fontsize=9, loc="left")
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if scale == 1.0 and any(value and value > 0 for curve in curves.groups for value in curve.mean):
        axes.set_yscale("log")


def _draw(axes: Axes, curve: Curve, style: Style, scale: float) -> None:
    def scaled(values: Sequence[float | None]) -> list[float]:
        return [float("nan") if value is None else scale * value for value in values]

    seeds = f"{min(curve.n)}-{max(curve.n)}" if len(set(curve.n)) > 1 else f"{max(curve.n, default=0)}"
    axes.plot(
        curve.epochs,
        scaled(curve.mean),
        color=style.color,
        marker=style.marker,
        ms=3.5,
        markevery=max(1, len(curve.epochs) // 8),
        lw=1.4,
        label=f"{_short_name(curve.factors)} (n = {seeds})",
    )
    axes.fill_between(curve.epochs, scaled(curve.low), scaled(curve.high), color=style.color, alpha=0.15, lw=0)


def _short_name(factors: Factors) -> str:
    """Return the name of a group, cut where it would take the room of the figure. Tables have the whole name."""
    name = name_of(factors)
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _svg(figure: Figure) -> str:
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": "ActLab"})
    return out.getvalue()
