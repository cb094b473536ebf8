"""Comparisons of groups of experiments, with their uncertainty."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Literal

from actlab.flows import Call, Flow, Json
from actlab.objects import fields
from actlab.objects.frames import Frames, Row, aligned, arrow_table, flat, pandas_frame, polars_frame

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow
    from matplotlib.axes import Axes
    from rich.table import Table

Rows = Literal["groups", "pairs"]


class Comparison(fields.ComparisonFields, Frames):
    """Groups of experiments, best mean first, with their intervals and the verdicts on their differences.

    >>> comparison = study.compare()
    >>> [group["n"] for group in comparison.groups]
    [3, 3]
    >>> comparison.family["title"]
    'Test accuracy at the last epoch'
    """

    def to_pandas(self, rows: Rows = "groups") -> pandas.DataFrame:
        """Return a row for each group with the verdict against the reference, or for each pair, as a DataFrame.

        Raises MissingLibrary without pandas.

        >>> list(comparison.to_pandas()["n"])
        [3, 3]
        """
        return pandas_frame(self._rows_of(rows))

    def to_polars(self, rows: Rows = "groups") -> polars.DataFrame:
        """Return a row for each group, or for each pair, as a DataFrame of polars. Raises MissingLibrary without it."""
        return polars_frame(self._rows_of(rows))

    def to_arrow(self, rows: Rows = "groups") -> pyarrow.Table:
        """Return a row for each group, or for each pair, as a table of pyarrow. Raises MissingLibrary without it."""
        return arrow_table(self._rows_of(rows))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the mean of each group with its interval over seeds, best mean on top.

        Returns the axes, new ones without `ax`. Raises MissingLibrary without matplotlib.
        """
        from actlab.objects.plots import comparison_plot

        return comparison_plot(self, ax)

    def __rich__(self) -> Table:
        from actlab.tables import comparison_table

        return comparison_table(self)

    def __repr__(self) -> str:
        from rich.console import Console

        output = io.StringIO()
        Console(file=output).print(self)
        return "\n".join(line.rstrip() for line in output.getvalue().splitlines())

    def _repr_html_(self) -> str:
        from actlab.objects.html import table
        from actlab.tables import comparison_columns, comparison_title

        columns = comparison_columns(self)
        rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        return table(rows, " ".join([f"{comparison_title(self)}.", *self.summary]))

    def _rows(self) -> list[Row]:
        return self._rows_of("groups")

    def _rows_of(self, rows: str) -> list[Row]:
        if rows not in ("groups", "pairs"):
            raise ValueError(f"rows should be groups or pairs, got {rows!r}")
        if rows == "pairs":
            return aligned([_pair_row(pair) for pair in self["pairs"]])
        verdicts = {} if self.family["versus"] is None else {key(pair["a"]): pair for pair in self["pairs"]}
        return aligned([_group_row(group, verdicts.get(key(group["factors"])), verdicts) for group in self["groups"]])


def read_comparison(path: str, query: Json) -> Flow[Comparison]:
    return Comparison((yield Call("GET", path, query)))


def key(factors: Json) -> tuple[tuple[str, object], ...]:
    """Return factors as a key of a mapping."""
    return tuple(sorted(factors.items()))


def _group_row(group: Json, pair: Json | None, verdicts: Json | dict[Any, Any]) -> Row:
    figures = {name: value for name, value in group.items() if name not in ("factors", "names", "rank", "seeds")}
    best, worst = group["rank"]
    ranks = {} if verdicts else {"rank_best": best, "rank_worst": worst}
    tested = {name: pair[name] for name in ("difference", "interval", "p_adjusted", "verdict")} if pair else {}
    seeds = {f"seed_{seed}": value for seed, value in (group.get("seeds") or {}).items()}
    versus = flat(tested, "versus.") if tested else {}
    return {**group["factors"], **flat(figures), **ranks, **versus, **seeds}


def _pair_row(pair: Json) -> Row:
    figures = {name: value for name, value in pair.items() if name not in ("a", "b")}
    return {**flat(pair["a"], "a."), **flat(pair["b"], "b."), **flat(figures)}
