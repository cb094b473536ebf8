"""The sections of a report, in reading order."""

import json
import shlex
from collections.abc import Iterator, Sequence

from service.domain.comparisons.answer import Comparison, Effect, Group, Pair
from service.domain.methods import methods
from service.domain.report import Machine, Report, Unfinished, name_of, names_of, value_text
from service.report import articles, figures
from service.report.numbers import MINUS, NONE, UnitFormat, p_value, ranks, unit_format
from service.report.parts import Figure, Section, Table

MISSING = ("diverged", "failed", "pending")
"""Reasons why seeds of a group have no figure. A table has a column only for those that occur."""

MOST_RANKED = 15
"""Groups in the figure of ranks; the bars of more would be too many."""


def sections(report: Report) -> list[Section]:
    """Return the sections that have content."""
    measured = any(group.mean is not None for group in report.comparison.groups)
    return [
        _result(report.comparison),
        *([_seeds(report)] if measured else []),
        *([_ranking(report)] if _is_ranked(report.comparison) else []),
        *([_pairs(report.comparison)] if report.comparison.pairs else []),
        *([_effects(report.comparison)] if report.comparison.effects else []),
        *([_curves(report)] if any(curves.groups for curves in report.curves) else []),
        *([articles.article_claims(report.article_claims)] if report.article_claims else []),
        *([articles.published_figures(report)] if _has_published(report) else []),
        *([_others(report)] if measured and report.others else []),
        *([_unfinished(report.unfinished)] if report.unfinished else []),
        Section("Methods", paragraphs=methods(report)),
        *([_machines(report.machines)] if report.machines else []),
        _repeat(report),
    ]


def _result(comparison: Comparison) -> Section:
    family = comparison.family
    show = unit_format(comparison)
    ranked = family.versus is None  # pairs with one group alone do not rank the others
    missing = [reason for reason in MISSING if any(getattr(group, f"n_{reason}") for group in comparison.groups)]
    rows = [
        [
            names_of(group),
            str(group.n),
            show(group.mean),
            show.interval(group.interval),
            show(group.sd),
            show.interval(group.test_image_interval),
            *([ranks(group.rank)] if ranked else []),
            *(str(getattr(group, f"n_{reason}")) for reason in missing),
        ]
        for group in comparison.groups
    ]
    heads = ["group", "n", "mean", "95 % interval over seeds", "sd", "95 % over test images",
             *(["rank"] if ranked else []), *missing]  # fmt: skip
    lead = f"{family.title}{show.unit}. n is the number of seeds."
    if any(len(group.names) > 1 for group in comparison.groups):
        lead += " Names joined by = are one group: their runs are equal bit for bit."
    return Section("Result", lead, table=Table(heads, rows))


def _seeds(report: Report) -> Section:
    figure = Figure(
        figures.seeds_figure(report.comparison, report.cells),
        f"{report.comparison.family.title}: every seed of every group, with means and intervals",
        "Each open mark is one seed; the bar below is the mean with its Student-t 95 % interval over seeds.",
    )
    return Section("Every seed", figure=figure)


def _is_ranked(comparison: Comparison) -> bool:
    measured = sum(group.mean is not None for group in comparison.groups)
    return comparison.family.versus is None and 2 < measured <= MOST_RANKED


def _ranking(report: Report) -> Section:
    figure = Figure(
        figures.ranks_figure(report.comparison, report.cells),
        "Groups by their mean rank over seeds; bars join groups of which none is better or worse",
        "Mean rank over the seeds that all groups have. A bar joins groups of which no pair is better or worse by the"
        " verdicts below; its dots mark them.",
    )
    return Section("Ranking", figure=figure)


def _pairs(comparison: Comparison) -> Section:
    family = comparison.family
    show = unit_format(comparison)
    level = f"{family.interval_confidence:.2%}"
    heads = [
        "pair",
        "difference",
        "simultaneous interval",
        f"p ({family.p_correction})",
        "least p",
        "Hedges' g",
        "P(better)",
        "verdict",
    ]
    lead = f"{family.decision} Each interval has a level of {level}."
    rows = [_pair(pair, show) for pair in comparison.pairs]
    title = "Pairs of groups" if family.versus is None else f"Groups against {name_of(family.versus)}"
    return Section(title, lead, table=Table(heads, rows, frozenset({"verdict"})))


def _pair(pair: Pair, show: UnitFormat) -> list[str]:
    return [
        f"{name_of(pair.a)} {MINUS} {name_of(pair.b)}",
        show.signed(pair.difference),
        show.interval(pair.interval),
        p_value(pair.p_adjusted),
        p_value(pair.p_attainable),
        NONE if pair.hedges_g is None else f"{pair.hedges_g:.2f}",
        NONE if pair.probability_of_improvement is None else f"{pair.probability_of_improvement:.2f}",
        pair.verdict + "".join(_remarks(pair)),
    ]


def _remarks(pair: Pair) -> Iterator[str]:
    if pair.interval_disagrees:
        yield ", though its interval contains 0"
    if pair.within_margin and pair.verdict in ("better", "worse"):
        yield ", but by less than the margin"
    if pair.seeds_to_decide is not None and pair.seeds_to_decide.more is not None:
        yield f"; about {pair.seeds_to_decide.more} more seeds would decide"


def _effects(comparison: Comparison) -> Section:
    show = unit_format(comparison)
    heads = ["factor", "levels, best first", f"best {MINUS} worst", "interval", "n"]
    rows = [_effect(effect, show) for effect in comparison.effects]
    lead = "What each factor does on average over the others: marginal means, over the same seeds and combinations."
    return Section("Main effects", lead, table=Table(heads, rows, frozenset({heads[1]})))


def _effect(effect: Effect, show: UnitFormat) -> list[str]:
    levels = "; ".join(
        f"{value_text(level.value)} {show(level.mean)} ({show.interval(level.interval)})" for level in effect.levels
    )
    text = levels or effect.reason or NONE
    return [effect.factor, text, show.signed(effect.range), show.interval(effect.range_interval), str(effect.n)]


def _curves(report: Report) -> Section:
    with_groups = [curves for curves in report.curves if curves.groups]
    most = max(len(curves.groups) for curves in with_groups)
    omitted = f" The first {figures.MOST_CURVES} of {most} groups are drawn." if most > figures.MOST_CURVES else ""
    dashed = " Dashed: the article's single run." if _has_published(report) else ""
    figure = Figure(
        figures.curves_figure(with_groups),
        "Mean training and validation curves of every group, with their intervals",
        f"Mean over seeds; the band is the Student-t 95 % interval. Training figures are taken with dropout on."
        f"{dashed}{omitted}",
    )
    return Section("Curves", figure=figure)


def _has_published(report: Report) -> bool:
    return any(curves.reference is not None for curves in report.curves)


def _others(report: Report) -> Section:
    columns = [(unit_format(other), {name_of(group.factors): group for group in other.groups}, other.family)
               for other in report.others]  # fmt: skip
    rows = []
    for group in report.comparison.groups:
        groups = [(show, by_name.get(name_of(group.factors))) for show, by_name, _ in columns]
        rows.append([names_of(group), *(_mean_and_interval(show, other) for show, other in groups)])
    heads = [f"{family.title}{show.unit}" for show, _, family in columns]
    lead = "Secondary: these decide nothing above. Means over seeds, with Student-t 95 % intervals in brackets."
    return Section("Other figures", lead, table=Table(["group", *heads], rows))


def _mean_and_interval(show: UnitFormat, group: Group | None) -> str:
    if group is None or group.mean is None:
        return NONE
    return show(group.mean) + ("" if group.interval is None else f" ({show.interval(group.interval)})")


def _unfinished(unfinished: Sequence[Unfinished]) -> Section:
    heads = ["group", "seeds", "what became of them", "what to do"]
    rows = [
        [name_of(row.factors), ", ".join(map(str, row.seeds)), row.cause or row.status, row.remedy or NONE]
        for row in unfinished
    ]
    return Section("Experiments without a figure", table=Table(heads, rows, frozenset({"seeds", heads[3]})))


def _machines(machines: Sequence[Machine]) -> Section:
    heads = ["experiments", "device", "threads", "precision", "execution", "versions"]
    rows = [
        [
            str(machine.experiments),
            f"{machine.device_name} ({machine.device}, {machine.instruction_set})",
            str(machine.threads),
            machine.precision,
            machine.execution + (", resumed under another fingerprint" if machine.mixed else ""),
            ", ".join(f"{name} {version}" for name, version in machine.versions.items()),
        ]
        for machine in machines
    ]
    lead = "Runs of one spec and seed agree bit for bit where a whole line is equal."
    return Section("Measured with", lead, table=Table(heads, rows, frozenset({"device", "versions"})))


def _repeat(report: Report) -> Section:
    body = shlex.quote(json.dumps(report.study.spec))
    lead = "Post this to a service, here one on the same machine; the seeds make it the same study."
    code = f"curl http://127.0.0.1:8000/api/v1/studies -H 'Content-Type: application/json' -d {body}"
    return Section("Repeat it", lead, code=code)


def counted(report: Report) -> str:
    """Return `15 experiments, 14 succeeded, 1 failed`."""
    return ", ".join(_counts(report))


def _counts(report: Report) -> Iterator[str]:
    yield f"{report.total} experiments"
    yield from (f"{number} {status}" for status, number in report.progress.items() if number)
