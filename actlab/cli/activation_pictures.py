"""Pictures of the API's answers about activations for people."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from actlab.cli.charts import plot
from actlab.cli.output import Json, clipped, fields, table

WIDEST_PLOT = 100  # columns


def activations_table(activations: Sequence[Json]) -> Table:
    """Return a row for each function, with its version if it is a registered formula."""
    made = table("name", "formula", "version", "time / relu", right=["version", "time / relu"], cut=["formula"])
    for activation in activations:
        archived = " (archived)" if activation["archived_at"] else ""
        made.add_row(
            activation["name"] + archived,
            clipped(activation["formula"]),
            "" if activation["version"] is None else str(activation["version"]),
            f"{activation['estimated_cost']['time_ratio']:.2g}",
        )
    return made


def activation_fields(activation: Json) -> Table:
    """Return what is known about a function of the catalogue or a registered formula."""
    initialisation = activation["recommended_initialisation"]
    version = activation["version"]
    return fields(
        [
            ("name", activation["name"]),
            ("title", activation["title"]),
            ("version", None if version is None else f"{version} of {activation['newest_version']}"),
            *_function(activation),
            ("parameters", ", ".join(map(_parameter, activation["parameters"]))),
            *_properties(activation["properties"]),
            ("initialisation", initialisation["name"]),
            ("cost", _cost(activation["estimated_cost"])),
            ("advice", _text(activation["advice"])),
            ("known problem", _text(activation["known_problem"])),
            ("note", activation["note"]),
            ("archived", activation["archived_at"]),
        ]
    )


def preview_fields(preview: Json) -> Table:
    """Return what is known about a formula that is not stored."""
    parameters = [
        f"{name} = {value['value']:g}{' (learnable)' if value['learnable'] else ''}"
        for name, value in preview["parameters"].items()
    ]
    return fields(
        [
            *_function(preview),
            ("parameters", ", ".join(parameters)),
            *_properties(preview["properties"]),
            ("cost", _cost(preview["estimated_cost"])),
        ]
    )


def plotted(curve: Json, width: int) -> Text:
    """Return a plot of f and f' that fits so many columns."""
    return plot(curve["x"], [("f'(x)", curve["dy"], "yellow"), ("f(x)", curve["y"], "cyan")], min(width, WIDEST_PLOT))


def _function(described: Json) -> list[tuple[str, Any]]:
    computed = described["computed_as"]
    return [
        ("f(x)", described["formula"]),
        ("computed as", None if computed == described["formula"] else computed),
        ("same as", described["same_as"]),
        ("f'(x)", described["derivative"]),
    ]


def _parameter(parameter: Json) -> str:
    trained = ", trained" if parameter["learnable"] else ""
    bounds = f"{parameter['minimum']:g} to {parameter['maximum']:g}"
    return f"{parameter['name']} = {parameter['default']:g} ({bounds}{trained})"


def _properties(properties: Json) -> list[tuple[str, Any]]:
    bounds = properties["range"]
    low, high = ("-∞", "∞") if bounds is None else (_end(bounds[0], "-∞"), _end(bounds[1], "∞"))
    return [
        ("range", None if bounds is None else f"{low} to {high}"),
        ("monotonic", (properties["monotonic"] or "").replace("_", "-")),
        ("slope at 0", _number(properties["slope_at_0"])),
        ("largest slope", _number(properties["largest_slope"])),
        ("mean of N(0, 1)", _number(properties["mean_of_normal"])),
        ("saturates", " and ".join(properties["saturating_sides"] or [])),
        ("undefined", ", ".join(_gap(gap) for gap in properties["undefined"] or [])),
    ]


def _end(bound: float | None, infinity: str) -> str:
    return infinity if bound is None else f"{bound:g}"


def _gap(gap: Sequence[float | None]) -> str:
    low, high = gap
    return f"at {low:g}" if low == high and low is not None else f"{_end(low, '-∞')} to {_end(high, '∞')}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _cost(cost: Json) -> str:
    kernel = "own kernel" if cost["fused"] else f"{cost['nodes']} operations and numbers"
    return f"{cost['time_ratio']:.2g} times the time of relu, {kernel}"


def _text(advice: Json | None) -> str:
    return "" if advice is None else f"{advice['text']} ({advice['source']})"
