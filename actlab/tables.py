"""Tables for the terminal."""

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

Json = Mapping[str, Any]


def comparison_table(comparison: Json) -> Table:
    """Return a table of groups, best mean first, with the difference of each to the reference; it fits 80 columns."""
    columns = comparison_columns(comparison)
    caption = "\n".join([" ".join(comparison["summary"]), _caption(comparison["family"])])
    table = Table(
        title=comparison_title(comparison),
        caption=caption,
        caption_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    for heading in columns:
        words = heading in ("group", "verdict", "missing")
        table.add_column(heading, justify="left" if words else "right", no_wrap=heading not in ("verdict", "missing"))
    for row in zip(*columns.values(), strict=True):
        table.add_row(*row)
    return table


def comparison_title(comparison: Json) -> str:
    return str(comparison["metric"]).replace("_", " ").capitalize()


def comparison_columns(comparison: Json) -> dict[str, list[str]]:
    """Return the cells of that table by their heading, one for each group."""
    family, groups = comparison["family"], comparison["groups"]
    versus = family["versus"]
    columns = {"group": [_names(group) for group in groups], "n": [str(group["n"]) for group in groups]}
    if any(map(_missing, groups)):
        columns["missing"] = [_missing(group) for group in groups]
    columns["mean"] = [_spread(group["mean"], group["interval"], ".4f") for group in groups]
    if versus is None:  # pairs with one group alone do not rank the others
        columns["rank"] = [_rank(*group["rank"]) for group in groups]
    else:
        pairs = {_key(pair["a"]): pair for pair in comparison["pairs"]}
        cells = [_pair(pairs.get(_key(group["factors"]))) for group in groups]
        headings = (f"minus {_label(versus)}", "p", "verdict")
        columns |= dict(zip(headings, map(list, zip(*cells, strict=True)), strict=True))
    return columns


def _caption(family: Json) -> str:
    share = f"{family['interval_confidence']:.2%}".rstrip("%").rstrip("0").rstrip(".")
    margin = family["margin"]
    size = (
        ""
        if margin is None
        else f" equivalent: less than {margin:.3g}{' of it' if family['relative_margin'] else ''} apart."
    )
    return (
        "mean: ± the half-width of its Student-t 95% interval over seeds. Differences: ± that of"
        f" {share}% intervals, which hold together for all {family['pairs']} pairs. p is adjusted after"
        f" {family['p_correction']}; at most {family['alpha']} is a difference.{size}"
    )


def _missing(group: Json) -> str:
    """Return the number of seeds without a value, by reason."""
    return ", ".join(f"{group[f'n_{why}']} {why}" for why in ("diverged", "failed", "pending") if group[f"n_{why}"])


def _rank(best: int, worst: int) -> str:
    return str(best) if best == worst else f"{best}-{worst}"


def _pair(pair: Json | None) -> tuple[str, str, str]:
    if pair is None:
        return "", "", "(reference)"
    return _spread(pair["difference"], pair["interval"], "+.4f"), _p_value(pair["p_adjusted"]), pair["verdict"]


def _p_value(p: float | None) -> str:
    """Return p to three digits, never as 0."""
    if p is None:
        return ""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _spread(value: float | None, interval: list[float] | None, form: str) -> str:
    """Return a figure, with the half-width of its interval if it has one."""
    if value is None:
        return ""
    return f"{value:{form}}" if interval is None else f"{value:{form}} ± {(interval[1] - interval[0]) / 2:.4f}"


def _label(factors: Json) -> str:
    return ", ".join(str(value) for value in factors.values()) or "all"


def _names(group: Json) -> str:
    """Return all names of a group, which differ where their runs are equal bit for bit: `silu = swish`."""
    return " = ".join(map(_label, group["names"]))


def _key(factors: Json) -> tuple[tuple[str, object], ...]:
    return tuple(sorted(factors.items()))
