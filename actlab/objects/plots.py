"""Plots of answers with matplotlib, in the colours of the pages and reports."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from actlab.objects.frames import library

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Json = Mapping[str, Any]

MOST_CURVES = 12
"""Groups that are drawn; more cannot be told apart."""

DASHES = (0, (4, 3))


def curves_plot(curves: Json, published: Json | None, ax: Axes | None) -> Axes:
    """Draw mean curves with bands of their intervals, and the published curves of the same groups dashed."""
    axes, scale = _axes(ax), _scale(curves["unit"])
    colors: dict[str, str] = {}
    for place, group in enumerate(curves["groups"][:MOST_CURVES]):
        style = _style(group["factors"], place)
        name = _name(group["factors"])
        colors[name] = style.color
        epochs, every = group["epochs"], max(1, len(group["epochs"]) // 8)
        label = f"{name} (n = {_seeds(group['n'])})"
        line = {"color": style.color, "marker": style.marker, "ms": 3.5, "lw": 1.5, "markevery": every}
        axes.plot(epochs, _scaled(group["mean"], scale), label=label, **line)
        low, high = _scaled(group["low"], scale), _scaled(group["high"], scale)
        axes.fill_between(epochs, low, high, color=style.color, alpha=0.15, lw=0)
    for curve in [] if published is None else published["curves"]:
        name = _name(curve["factors"])
        if name in colors:
            values = _scaled(curve["values"], scale)
            axes.plot(curve["epochs"], values, color=colors[name], lw=1.1, ls=DASHES, alpha=0.85)
    if published is not None:
        axes.plot([], [], color="#4d555e", lw=1.1, ls=DASHES, label=f"published ({published['name']})")
    _label(axes, "epoch", _titled(curves["title"], curves["unit"]))
    _whole_epochs(axes)
    if len(curves["groups"]) > MOST_CURVES:
        axes.set_title(f"{MOST_CURVES} of {len(curves['groups'])} groups", loc="left", fontsize="small")
    return axes


def comparison_plot(comparison: Json, ax: Axes | None) -> Axes:
    """Draw the mean of each group with its interval, best mean on top."""
    axes, family = _axes(ax), comparison["family"]
    scale = _scale(family["unit"])
    groups = [group for group in comparison["groups"] if group["mean"] is not None]
    for place, group in enumerate(groups):
        style = _style(group["factors"], place)
        if group["interval"] is not None:
            axes.plot(_scaled(group["interval"], scale), [-place] * 2, color=style.color, lw=2.2)
        axes.plot([scale * group["mean"]], [-place], style.marker, color=style.color, ms=6)
    names = [f"{_name(group['factors'])} (n = {group['n']})" for group in groups]
    axes.set_yticks([-place for place in range(len(groups))], names)
    axes.set_ylim(-len(groups) + 0.4, 0.6)
    axes.set_xlabel(_titled(family["title"], family["unit"]))
    _quiet(axes)
    return axes


def metrics_plot(epochs: Sequence[Json], metric: str, ax: Axes | None) -> Axes:
    """Draw a figure of the training and the validation images, `accuracy` or `loss`, over epochs."""
    if metric not in ("accuracy", "loss"):
        raise ValueError(f"metric should be accuracy or loss, got {metric!r}")
    axes, scale = _axes(ax), 100.0 if metric == "accuracy" else 1.0
    numbers = [epoch["epoch"] for epoch in epochs]
    for place, (images, marker) in enumerate((("validation", "o"), ("train", "s"))):
        values = _scaled([epoch[f"{images}_{metric}"] for epoch in epochs], scale)
        axes.plot(numbers, values, color=_style({}, place).color, marker=marker, ms=3.5, lw=1.5, label=images)
    _label(axes, "epoch", "Accuracy (%)" if metric == "accuracy" else "Loss (nats)")
    _whole_epochs(axes)
    return axes


def diagnostics_plot(layers: Sequence[Json], measure: str, ax: Axes | None) -> Axes:
    """Draw a measure of each layer over epochs."""
    known = sorted({name for layer in layers for name, value in layer.items() if isinstance(value, float | int)})
    if layers and measure not in known:
        raise ValueError(f"There is no figure {measure!r}; there are {', '.join(known)}.")
    axes = _axes(ax)
    for place, name in enumerate(dict.fromkeys(layer["layer"] for layer in layers)):
        rows = [layer for layer in layers if layer["layer"] == name]
        values = _scaled([row.get(measure) for row in rows], 1.0)
        style = _style({}, place)
        axes.plot([row["epoch"] for row in rows], values, color=style.color, marker="o", ms=3.5, lw=1.5, label=name)
    _label(axes, "epoch", measure.replace("_", " "))
    _whole_epochs(axes)
    return axes


def activation_plot(curve: Json, ax: Axes | None) -> Axes:
    """Draw a function and its derivative."""
    axes = _axes(ax)
    for place, (values, label) in enumerate(((curve["y"], "f(x)"), (curve["dy"], "f'(x)"))):
        style = {"color": _style({}, place).color, "ls": "-" if place == 0 else DASHES}
        axes.plot(curve["x"], _scaled(values, 1.0), label=label, lw=1.6, **style)
    _label(axes, "x", "")
    return axes


def _axes(ax: Axes | None) -> Axes:
    """Return the axes to draw in: those of the caller, or the only ones of a new figure."""
    pyplot = library("matplotlib.pyplot", "plot")
    if ax is not None:
        return ax
    _, axes = pyplot.subplots(figsize=(6.4, 4.0), layout="constrained")
    new: Axes = axes
    return new


def _style(factors: Json, place: int) -> Any:
    from service.report.palette import style_of

    return style_of(factors, place)


def _label(axes: Axes, x: str, y: str) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.legend(frameon=False, fontsize="small")
    _quiet(axes)


def _quiet(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e3e7eb", lw=0.7)
    axes.set_axisbelow(True)


def _whole_epochs(axes: Axes) -> None:
    ticker = library("matplotlib.ticker", "plot")
    axes.xaxis.set_major_locator(ticker.MaxNLocator(integer=True, min_n_ticks=1))


def _scale(unit: str) -> float:
    return 100.0 if unit == "fraction" else 1.0


def _titled(title: str, unit: str) -> str:
    shown = "%" if unit == "fraction" else unit
    return f"{title} ({shown})" if shown else title


def _scaled(values: Sequence[float | None], scale: float) -> list[float]:
    return [math.nan if value is None else scale * value for value in values]


def _seeds(numbers: Sequence[int]) -> str:
    least, most = min(numbers, default=0), max(numbers, default=0)
    return f"{most}" if least == most else f"{least}-{most}"


def _name(factors: Json) -> str:
    """Return the name of a group: the activation by its value alone, other factors with their names."""
    if len(factors) == 1:
        return str(next(iter(factors.values())))
    named = (value if path == "activation" else f"{path} {value}" for path, value in factors.items())
    return ", ".join(map(str, named)) or "all"
