"""The parts of a report in the order in which they are read."""

import base64
import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from service.domain.comparisons.answer import Comparison, Effect, Pair
from service.domain.reference.agreement import GATE, Agreement
from service.domain.report import Machine, Report, Unfinished, name_of, written
from service.domain.statistics.summary import Interval
from service.report import figures
from service.report.methods import methods

NONE = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Table:
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: frozenset[str] = frozenset()  # heads of columns that hold sentences


@dataclass(frozen=True)
class Figure:
    svg: str
    alt: str
    caption: str

    @property
    def address(self) -> str:
        """The whole figure as a data: URL."""
        return f"data:image/svg+xml;base64,{base64.b64encode(self.svg.encode()).decode()}"


@dataclass(frozen=True)
class Section:
    title: str
    lead: str = ""
    figure: Figure | None = None
    table: Table | None = None
    paragraphs: Sequence[str] = field(default=())
    code: str = ""


def sections(report: Report) -> list[Section]:
    """Those that have something to say."""
    measured = any(group.mean is not None for group in report.comparison.groups)
    return [
        _result(report.comparison),
        *([_seeds(report)] if measured else []),
        *([_pairs(report.comparison)] if report.comparison.pairs else []),
        *([_effects(report.comparison)] if report.comparison.effects else []),
        *([_curves(report)] if any(curves.groups for curves in report.curves) else []),
        *([_reference(report)] if _has_reference(report) else []),
        *([_others(report)] if measured and report.others else []),
        *([_unfinished(report.unfinished)] if report.unfinished else []),
        Section("Methods", paragraphs=methods(report)),
        *([_machines(report.machines)] if report.machines else []),
        _repeat(report),
    ]


def _result(comparison: Comparison) -> Section:
    family = comparison.family
    show = Shown(family.unit)
    rows = [
        [
            name_of(group.factors),
            str(group.n),
            show(group.mean),
            show.interval(group.interval),
            show(group.sd),
            show.interval(group.test_image_interval),
            _range(group.rank),
            *(str(number) for number in (group.n_diverged, group.n_failed, group.n_pending)),
        ]
        for group in comparison.groups
    ]
    heads = ["group", "n", "mean", "95 % interval over seeds", "sd", "95 % over test images", "rank", "diverged",
             "failed", "pending"]  # fmt: skip
    return Section("Result", f"{family.title}{show.unit}. n is the number of seeds.", table=Table(heads, rows))


def _seeds(report: Report) -> Section:
    figure = Figure(
        figures.seeds_figure(report.comparison, report.cells),
        f"{report.comparison.family.title}: every seed of every group, with means and intervals",
        "Each open mark is one seed; the bar below is the mean with its Student-t 95 % interval over seeds.",
    )
    return Section("Every seed", figure=figure)


def _pairs(comparison: Comparison) -> Section:
    family = comparison.family
    show = Shown(family.unit)
    level = f"{family.interval_confidence:.2%}"
    heads = ["pair", "difference", "simultaneous interval", "p (Holm)", "least p", "Hedges' g", "verdict"]
    lead = f"{family.decision} Each interval has a level of {level}."
    rows = [_pair(pair, show) for pair in comparison.pairs]
    return Section("Pairs of groups", lead, table=Table(heads, rows, frozenset({"verdict"})))


def _pair(pair: Pair, show: "Shown") -> list[str]:
    return [
        f"{name_of(pair.a)} {MINUS} {name_of(pair.b)}",
        show.signed(pair.difference),
        show.interval(pair.interval),
        _p(pair.p_holm),
        _p(pair.p_attainable),
        NONE if pair.hedges_g is None else f"{pair.hedges_g:.2f}",
        pair.verdict + (", though its interval contains 0" if pair.interval_disagrees else ""),
    ]


def _effects(comparison: Comparison) -> Section:
    show = Shown(comparison.family.unit)
    heads = ["factor", "levels, best first", f"best {MINUS} worst", "interval", "n"]
    rows = [_effect(effect, show) for effect in comparison.effects]
    lead = "What each factor does on average over the others: marginal means, over the same seeds and combinations."
    return Section("Main effects", lead, table=Table(heads, rows, frozenset({heads[1]})))


def _effect(effect: Effect, show: "Shown") -> list[str]:
    levels = "; ".join(
        f"{written(level.value)} {show(level.mean)} ({show.interval(level.interval)})" for level in effect.levels
    )
    said = levels or effect.reason or NONE
    return [effect.factor, said, show.signed(effect.range), show.interval(effect.range_interval), str(effect.n)]


def _curves(report: Report) -> Section:
    drawn = [curves for curves in report.curves if curves.groups]
    most = max(len(curves.groups) for curves in drawn)
    left = f" The first {figures.MOST_CURVES} of {most} groups are drawn." if most > figures.MOST_CURVES else ""
    dashed = " Dashed: the article's single run." if _has_reference(report) else ""
    figure = Figure(
        figures.curves_figure(drawn),
        "Mean training and validation curves of every group, with their intervals",
        f"Mean over seeds; the band is the Student-t 95 % interval. Training figures are taken with dropout on."
        f"{dashed}{left}",
    )
    return Section("Curves", figure=figure)


def _has_reference(report: Report) -> bool:
    return any(curves.reference is not None for curves in report.curves)


def _reference(report: Report) -> Section:
    """The article's table beside one's own, and what is wrong with it."""
    reference = next(curves.reference for curves in report.curves if curves.reference is not None)
    show = Shown("fraction")
    rows = [
        [
            each.activation,
            show(each.published),
            show(each.mean),
            str(each.n),
            show.signed(each.difference),
            show.interval(each.prediction),
            _agrees(each),
        ]
        for each in report.agreement
    ]
    heads = ["activation", "published", "mean here", "n", f"here {MINUS} published", "one more run would lie within",
             "agreement"]  # fmt: skip
    fields = ", ".join(reference.differs)
    differs = [f"These experiments differ from its protocol in {fields}."] if fields else []
    return Section(
        "Beside the article",
        f"Test accuracy (%) at the last epoch. {reference.source}.",
        table=Table(heads, rows, frozenset({"agreement"})) if rows else None,
        paragraphs=[
            *differs,
            f"What is wrong with the published experiment: {'; '.join(reference.defects)}.",
            f"To mind: {'; '.join(reference.comparability)}.",
        ],
    )


def _agrees(found: Agreement) -> str:
    gate = f"{'within' if found.within_gate else 'not within'} {100 * GATE:g} points"
    if found.predicted is None:
        return gate
    return f"{gate}; the published run {'lies' if found.predicted else 'does not lie'} in the interval"


def _others(report: Report) -> Section:
    order = [name_of(group.factors) for group in report.comparison.groups]
    columns = [(Shown(other.family.unit), {name_of(group.factors): group for group in other.groups}, other.family)
               for other in report.others]  # fmt: skip
    rows = []
    for name in order:
        cells = []
        for show, groups, _ in columns:
            group = groups.get(name)
            cells += [NONE, NONE] if group is None else [show(group.mean), show.interval(group.interval)]
        rows.append([name, *cells])
    heads = [head for show, _, family in columns for head in (f"{family.title}{show.unit}", "95 % interval")]
    lead = "Secondary: these decide nothing above. Means over seeds, with Student-t 95 % intervals."
    return Section("Other figures", lead, table=Table(["group", *heads], rows))


def _unfinished(found: Sequence[Unfinished]) -> Section:
    heads = ["group", "seeds", "what became of them", "what to do"]
    rows = [
        [name_of(each.factors), ", ".join(map(str, each.seeds)), each.cause or each.status, each.remedy or NONE]
        for each in found
    ]
    return Section("Experiments without a figure", table=Table(heads, rows, frozenset({"seeds", heads[3]})))


def _machines(machines: Sequence[Machine]) -> Section:
    heads = ["experiments", "device", "threads", "precision", "execution", "versions"]
    rows = [
        [
            str(each.experiments),
            f"{each.device_name} ({each.device}, {each.instruction_set})",
            str(each.threads),
            each.precision,
            each.execution + (", resumed under another fingerprint" if each.mixed else ""),
            ", ".join(f"{name} {version}" for name, version in each.versions.items()),
        ]
        for each in machines
    ]
    lead = "Runs of one spec and seed agree bit for bit where a whole line is equal."
    return Section("Measured with", lead, table=Table(heads, rows, frozenset({"device", "versions"})))


def _repeat(report: Report) -> Section:
    body = shlex.quote(json.dumps(report.asked.spec))
    lead = "Post this to a service, here one on the same machine; the seeds make it the same study."
    code = f"curl http://127.0.0.1:8000/api/v1/studies -H 'Content-Type: application/json' -d {body}"
    return Section("Repeat it", lead, code=code)


@dataclass(frozen=True)
class Shown:
    """Figures of one unit as text: fractions as percent."""

    of: str

    @property
    def unit(self) -> str:
        return " (%)" if self.of == "fraction" else f" ({self.of})"

    def __call__(self, value: float | None) -> str:
        if value is None:
            return NONE
        return f"{100 * value:.2f}" if self.of == "fraction" else f"{value:.4g}"

    def signed(self, value: float | None) -> str:
        return NONE if value is None else f"{'+' if value > 0 else ''}{self(value)}"

    def interval(self, found: Interval | None) -> str:
        return NONE if found is None else f"{self(found[0])} to {self(found[1])}"


def _range(rank: tuple[int, int]) -> str:
    return str(rank[0]) if rank[0] == rank[1] else f"{rank[0]}{NONE}{rank[1]}"


def _p(value: float | None) -> str:
    if value is None:
        return NONE
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"


def counted(report: Report) -> str:
    """`15 experiments, 14 succeeded, 1 failed`."""
    return ", ".join(_counts(report))


def _counts(report: Report) -> Iterator[str]:
    yield f"{report.total} experiments"
    yield from (f"{number} {status}" for status, number in report.progress.items() if number)
