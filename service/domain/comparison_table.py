"""The tables of a comparison: typed columns and rows, and a caption that names the family of tests."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Generic, Literal, TypeVar

from service.domain.choices import TableRows
from service.domain.comparisons.answer import Comparison, Family, Group, Pair
from service.domain.comparisons.cells import Factors, key, label
from service.domain.methods import used_tests
from service.domain.report import name_of

Kind = Literal["text", "group", "integer", "real", "figure", "difference", "interval", "p", "rank"]
"""`group` holds the factors of every name of a group, `interval` two figures, `rank` two integers; the others hold one
value or None."""

Record = TypeVar("Record")


@dataclass(frozen=True)
class Column:
    """A column. `name` is that of a file for programs, `head` that of a page for people. A file or page leaves out the
    columns for which it has none."""

    name: str
    head: str
    kind: Kind


@dataclass(frozen=True)
class ComparisonTable:
    """A table. `spread` is the median sd between seeds, which decides the digits of figures on a page."""

    name: str  # of the table in a document
    caption: Sequence[str]  # sentences
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]  # a value a column, of the column's kind
    unit: str
    spread: float | None


@dataclass(frozen=True)
class _Field(Generic[Record]):
    """A column and the function that reads its value."""

    column: Column
    read: Callable[[Record], Any]


@dataclass(frozen=True)
class _Row:
    """A group, and its pair with the group that all others are compared with."""

    group: Group
    pair: Pair | None


def table_of(comparison: Comparison, rows: TableRows = "groups") -> ComparisonTable:
    """Return the table of a comparison's groups, or of its pairs.

    Where all pairs are compared, a group has its rank. Where one group is compared with, each other group has its
    difference to this group, with interval, p and verdict.
    """
    if rows == "pairs":
        return _table(comparison, rows, _pair_fields(comparison), comparison.pairs)
    pairs = {key(pair.a): pair for pair in comparison.pairs}
    versus = comparison.family.versus is not None
    records = [_Row(group, pairs.get(key(group.factors)) if versus else None) for group in comparison.groups]
    return _table(comparison, rows, _group_fields(comparison), records)


def _table(
    comparison: Comparison, rows: TableRows, fields: Sequence[_Field[Record]], records: Iterable[Record]
) -> ComparisonTable:
    family = comparison.family
    of_family = _family_values(family)
    sds = [group.sd for group in comparison.groups if group.sd]
    return ComparisonTable(
        name=f"{comparison.metric}-{rows}",
        caption=_caption(comparison, rows),
        columns=[*(field.column for field in fields), *(column for column, _ in of_family)],
        rows=[[*(field.read(record) for field in fields), *(value for _, value in of_family)] for record in records],
        unit=family.unit,
        spread=median(sds) if sds else None,
    )


def _group_fields(comparison: Comparison) -> list[_Field[_Row]]:
    family, groups = comparison.family, comparison.groups

    def counted(reason: str) -> _Field[_Row]:
        field = f"n_{reason}"
        head = reason if any(getattr(group, field) for group in groups) else ""
        return _Field(Column(field, head, "integer"), lambda row: getattr(row.group, field))

    return [
        _Field(Column("group", "group", "group"), lambda row: row.group.names),
        *_factor_fields(groups),
        _Field(Column("n", "n", "integer"), lambda row: row.group.n),
        *map(counted, ("diverged", "failed", "pending")),
        _Field(Column("mean", "mean", "figure"), lambda row: row.group.mean),
        _Field(Column("mean", "95 % interval", "interval"), lambda row: row.group.interval),
        _Field(Column("sd", "sd", "figure"), lambda row: row.group.sd),
        *([_Field(Column("rank", "rank", "rank"), lambda row: row.group.rank)] if family.versus is None else
          [_of_pair(field, family.versus) for field in _test_fields(family)]),
        *_seed_fields(groups),
    ]  # fmt: skip


def _factor_fields(groups: Sequence[Group]) -> list[_Field[_Row]]:
    """Return a column for each factor, in files alone: on pages the name of a group has them."""

    def factor(path: str) -> _Field[_Row]:
        return _Field(Column(path, "", "text"), lambda row: row.group.factors[path])

    return [factor(path) for path in (groups[0].factors if groups else ())]


def _seed_fields(groups: Sequence[Group]) -> list[_Field[_Row]]:
    """Return a column for each seed, in files alone, if the comparison has the value of each seed."""

    def value(seed: int) -> _Field[_Row]:
        return _Field(Column(f"seed_{seed}", "", "real"), lambda row: (row.group.seeds or {}).get(seed))

    return [value(seed) for seed in sorted({seed for group in groups for seed in group.seeds or ()})]


def _pair_fields(comparison: Comparison) -> list[_Field[Pair]]:
    groups = {key(group.factors): group for group in comparison.groups}

    def side(name: Literal["a", "b"]) -> list[_Field[Pair]]:
        def group(pair: Pair) -> Group:
            return groups[key(getattr(pair, name))]

        return [
            _Field(Column(name, name, "group"), lambda pair: group(pair).names),
            _Field(Column(f"n_{name}", f"n of {name}", "integer"), lambda pair: group(pair).n),
        ]

    return [*side("a"), *side("b"), *_test_fields(comparison.family)]


def _test_fields(family: Family) -> list[_Field[Pair]]:
    return [
        _Field(Column("test", "", "text"), lambda pair: pair.test),
        _Field(Column("difference", "difference", "difference"), lambda pair: pair.difference),
        _Field(Column("difference", "interval", "interval"), lambda pair: pair.interval),
        _Field(Column("p_adjusted", f"p ({family.p_correction})", "p"), lambda pair: pair.p_adjusted),
        _Field(Column("hedges_g", "", "real"), lambda pair: pair.hedges_g),
        _Field(Column("verdict", "verdict", "text"), lambda pair: pair.verdict),
    ]


def _of_pair(field: _Field[Pair], versus: Factors) -> _Field[_Row]:
    """Return a column of pairs as one of groups. The group that the others are compared with has no pair."""

    def read(row: _Row) -> Any:
        if row.pair is not None:
            return field.read(row.pair)
        return "reference" if field.column.name == "verdict" and key(row.group.factors) == key(versus) else None

    return _Field(field.column, read)


def _family_values(family: Family) -> list[tuple[Column, Any]]:
    """Return the columns of the family, in files alone: a caption has them on pages."""
    return [
        (Column("metric", "", "text"), family.metric),
        (Column("unit", "", "text"), family.unit),
        (Column("versus", "", "text"), None if family.versus is None else label(family.versus)),
        (Column("tests", "", "integer"), family.pairs),
        (Column("p_correction", "", "text"), family.p_correction),
        (Column("alpha", "", "real"), family.alpha),
        (Column("interval_confidence", "", "real"), family.interval_confidence),
    ]


def _caption(comparison: Comparison, rows: TableRows) -> list[str]:
    family = comparison.family
    # The first of several sentences is about the verdicts, which the rows have.
    tests = [*(comparison.summary[1:] or comparison.summary), *used_tests(comparison)]
    means = "Mean over n seeds with Student's t 95 % interval, and sd between seeds."
    differences = (
        f"Each interval of a difference has a level of {100 * family.interval_confidence:.4g} %"
        f" ({family.interval_correction})."
    )
    if rows == "pairs":
        return [f"{family.title}, a minus b.", differences, "The verdict is of a relative to b.", *tests]
    if family.versus is None:
        return [f"{family.title}.", means, "A rank is the range that the verdicts leave open.", *tests]
    verdicts = f"Difference and verdict are relative to {name_of(family.versus)}."
    return [f"{family.title}.", means, verdicts, differences, *tests]
