"""Tables for the terminal."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

Json = Mapping[str, Any]


def comparison_table(comparison: Json) -> Table:
    """Groups, best mean first, and each one's difference to the reference where there is one."""
    family = comparison["family"]
    versus = family["versus"]
    table = Table(title=_title(comparison), caption=_caption(family), caption_justify="left")
    for heading in ("group", "n", "mean", "95% interval over seeds", "rank"):
        table.add_column(heading, justify="left" if heading == "group" else "right")
    if versus is not None:
        table.add_column(f"difference to {_label(versus)}", justify="right")
        table.add_column("p (Holm)", justify="right")
        table.add_column("verdict")
    pairs = {_key(pair["a"]): pair for pair in comparison["pairs"]}
    for group in comparison["groups"]:
        cells = _group_cells(group)
        if versus is not None:
            cells += _pair_cells(pairs.get(_key(group["factors"])))
        table.add_row(*cells)
    return table


def _title(comparison: Json) -> str:
    return str(comparison["metric"]).replace("_", " ").capitalize()


def _caption(family: Json) -> str:
    share = f"{family['interval_confidence']:.2%}".replace(".00%", "%")
    return (
        f"Verdicts: p adjusted after {family['p_correction']} for {family['pairs']} pairs, at {family['alpha']}."
        f" Intervals of differences: {share} each, so that they hold together."
    )


def _group_cells(group: Json) -> list[str]:
    lost = [f"{group[f'n_{why}']} {why}" for why in ("diverged", "failed", "pending") if group[f"n_{why}"]]
    n = f"{group['n']} ({', '.join(lost)})" if lost else str(group["n"])
    best, worst = group["rank"]
    rank = str(best) if best == worst else f"{best}-{worst}"
    return [_label(group["factors"]), n, _number(group["mean"]), _interval(group["interval"], "{:.4f}"), rank]


def _pair_cells(pair: Json | None) -> list[str]:
    if pair is None:
        return ["", "", "(reference)"]
    p = "" if pair["p_holm"] is None else f"{pair['p_holm']:.3f}"
    difference = "" if pair["difference"] is None else f"{pair['difference']:+.4f}"
    return [f"{difference} {_interval(pair['interval'], '{:+.4f}')}".strip(), p, pair["verdict"]]


def _interval(interval: list[float] | None, form: str) -> str:
    return "" if interval is None else f"[{form.format(interval[0])}, {form.format(interval[1])}]".replace("[", r"\[")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _label(factors: Json) -> str:
    return ", ".join(str(value) for value in factors.values()) or "all"


def _key(factors: Json) -> tuple[tuple[str, object], ...]:
    return tuple(sorted(factors.items()))
