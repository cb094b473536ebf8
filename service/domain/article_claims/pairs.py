"""Comparisons of two sides of a setting, seed by seed."""

import math
from collections.abc import Callable, Mapping, Sequence

from service.domain.article_claims.answer import ClaimPart
from service.domain.article_claims.observations import STANDARD, Fields, Observations, Observed, Setting, Side
from service.domain.article_claims.rules import Ruling
from service.domain.comparisons.cells import Factor

Figure = Callable[[Observed], float | None]
Rule = Callable[[Sequence[float]], Ruling]


def difference(title: str, setting: Setting, a: Side, b: Side, figure: Figure, rule: Rule, unit: str) -> ClaimPart:
    """Return the part on `figure` of a minus that of b over their common seeds, judged by `rule`."""
    why_not = [*a.why_not(), *b.why_not(), *_other_machine(a, b)]
    if why_not:
        return open_part(title, why_not, setting.context, [a, b])
    of_a, of_b = figures(a, figure), figures(b, figure)
    ruling = rule([of_a[seed] - of_b[seed] for seed in sorted(of_a.keys() & of_b.keys())])
    return ruled(title, ruling, setting.context, [a, b], unit)


def level(title: str, setting: Setting, side: Side, figure: Figure, rule: Rule, unit: str) -> ClaimPart:
    """Return the part on `figure` of one side over its seeds, judged by `rule`."""
    why_not = side.why_not()
    if why_not:
        return open_part(title, why_not, setting.context, [side])
    values = [value for _, value in sorted(figures(side, figure).items())]
    return ruled(title, rule(values), setting.context, [side], unit)


def turns(title: str, setting: Setting, a: Side, b: Side, rule: Rule) -> list[ClaimPart]:
    """Return the parts on ln(time a step of a / of b), where their runs took turns: one for each machine that has runs
    of both sides, since times on several are not pooled."""
    machines = {run.hardware for side in (a, b) for run in side.succeeded.values()}
    if len(machines) <= 1:
        return [_turns(title, setting, a, b, rule)]
    of_a, of_b = ({run.hardware for run in side.succeeded.values()} for side in (a, b))
    parts = [
        _turns(f"{title}, on {machine}", setting, a.on(machine), b.on(machine), rule)
        for machine in sorted(of_a & of_b, key=str)
    ]
    return parts or [open_part(title, [f"runs of {a.name} and {b.name} on one machine"], setting.context, [a, b])]


def _turns(title: str, setting: Setting, a: Side, b: Side, rule: Rule) -> ClaimPart:
    if not (a.why_not() or b.why_not()) and a.succeeded and b.succeeded and not took_turns(a, b):
        missing = f"runs of {a.name} and {b.name} that take turns: all of one were over before the other began"
        return open_part(title, [missing], setting.context, [a, b])
    return difference(title, setting, a, b, _log_step_time, rule, "ln")


def _log_step_time(run: Observed) -> float | None:
    return -math.log(run.images_per_second) if run.images_per_second else None


def figures(side: Side, figure: Figure) -> dict[int, float]:
    """Return the figure by seed, of the runs that have one."""
    values = ((seed, figure(run)) for seed, run in side.succeeded.items())
    return {seed: value for seed, value in values if value is not None}


def ruled(title: str, ruling: Ruling, context: Mapping[str, Factor], sides: Sequence[Side], unit: str) -> ClaimPart:
    return ClaimPart(
        title=title,
        verdict=ruling.verdict,
        context=dict(context),
        n=ruling.n,
        mean=ruling.mean,
        interval=ruling.interval,
        confidence=ruling.confidence,
        unit=unit,
        limit=ruling.limit,
        missing=[f"{reason} ({' and '.join(side.name for side in sides)})" for reason in ruling.missing],
        evidence=[side.evidence for side in sides],
    )


def open_part(
    title: str, missing: Sequence[str], context: Mapping[str, Factor] | None = None, sides: Sequence[Side] = ()
) -> ClaimPart:
    """Return a part that cannot be judged yet."""
    return ClaimPart(
        title=title,
        verdict="undecided",
        context=dict(context or {}),
        missing=list(missing),
        evidence=[side.evidence for side in sides],
    )


def took_turns(a: Side, b: Side) -> bool:
    """True if neither side had ended before the other began, so that a slow spell of the machine affects both."""
    runs, other_runs = list(a.succeeded.values()), list(b.succeeded.values())
    return _overlap(runs, other_runs) and _overlap(other_runs, runs)


def _overlap(runs: Sequence[Observed], other_runs: Sequence[Observed]) -> bool:
    ended = [run.finished for run in runs if run.finished]
    began = [run.started for run in other_runs if run.started]
    return bool(ended and began) and min(began) < max(ended)


def _other_machine(a: Side, b: Side) -> list[str]:
    machines = {run.machine for side in (a, b) for run in side.succeeded.values()}
    if len(machines) <= 1:
        return []
    return [f"runs of {a.name} and {b.name} on one kind of device, in one precision, by one version"]


def contrast(
    observations: Observations,
    title: str,
    name: str,
    other_name: str,
    figure: Figure,
    rule: Rule,
    unit: str,
    where: Sequence[Fields] = (STANDARD,),
) -> list[ClaimPart]:
    """Compare two activations in every setting that has both; an open part where there is none."""
    parts = []
    for setting in (setting for fields in where for setting in observations.settings(["activation"], fields)):
        a, b = setting.side(activation=name), setting.side(activation=other_name)
        if a is not None and b is not None:
            parts.append(difference(title, setting, a, b, figure, rule, unit))
    return parts or [open_part(title, [f"runs of {name} and of {other_name} that differ in nothing else"])]
