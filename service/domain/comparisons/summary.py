"""The summary of a comparison: the sentences that every page, table and report shows of it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from service.domain.comparisons.answer import Comparison, Family, Group, Pair
from service.domain.comparisons.cells import Factor, Factors, key

MOST_NAMED = 5
"""Groups that a sentence names; of more, it gives their number."""


def summary(comparison: Comparison) -> list[str]:
    """Return the sentences that the verdicts of a comparison justify, and the family of tests that they belong to."""
    measured = [group for group in comparison.groups if group.mean is not None]
    if not measured:
        return ["No experiment has given a figure yet."]
    if len(measured) == 1:
        return [f"There is one group with figures, {name_of(measured[0].factors)}: nothing to hold it against."]
    if all(pair.test is None for pair in comparison.pairs):
        return ["No pair of groups could be tested: each needs at least two seeds, and none of its runs may diverge."]
    versus = comparison.family.versus
    found = _of_all(comparison, measured) if versus is None else against(versus, comparison.pairs)
    return [found, *_of_equivalent_pairs(comparison), *_of_family(comparison.family)]


def against(versus: Factors, pairs: Sequence[Pair]) -> str:
    """Return `Against relu \N{EN DASH} better: swish; worse: sigmoid and tanh.`, each verdict with its groups.

    The sentence is about pairs whose `b` is `versus`.
    """
    names: dict[str, list[str]] = defaultdict(list)
    for pair in pairs:
        names[pair.verdict].append(name_of(pair.a))
    first = [verdict for verdict in ("better", "worse") if verdict in names]
    others = [verdict for verdict in names if verdict not in first]
    parts = [f"{verdict}: {_listed(names[verdict], 'and')}" for verdict in [*first, *others]]
    return f"Against {name_of(versus)} \N{EN DASH} {'; '.join(parts)}."


def margin_text(family: Family) -> str:
    """Return `0.5 percentage points` for a margin of accuracies, `5 %` for a relative one; empty without a margin."""
    if family.margin is None:
        return ""
    size = f"{100 * family.margin:.4g}"
    return f"{size} %" if family.relative_margin else f"{size} percentage points"


def name_of(factors: Mapping[str, Factor]) -> str:
    """Return the name of a group in a sentence: `relu`, `relu (batch size 128, dropout 0.25)`, `batch size 128`."""
    others = ", ".join(f"{name.replace('_', ' ')} {_value(factors[name])}" for name in factors if name != "activation")
    if "activation" not in factors:
        return others or "all"
    activation = _value(factors["activation"])
    return f"{activation} ({others})" if others else activation


def _value(value: Factor) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _of_all(comparison: Comparison, measured: Sequence[Group]) -> str:
    leading = [name_of(group.factors) for group in measured if group.rank[0] == 1]
    different = sum(pair.verdict in ("better", "worse") for pair in comparison.pairs)
    share = f"{different} of {len(comparison.pairs)} pairs of groups differ"
    if len(leading) == 1 and measured[0].rank == (1, 1):
        return f"{leading[0]} is better than every other group; {share}."
    if different == 0:
        return f"No difference between groups was found: {share}. That alone is not evidence that they are equal."
    return f"No group is significantly better than {_listed(leading, 'or')}; {share}."


def _of_equivalent_pairs(comparison: Comparison) -> list[str]:
    """Return a sentence on the pairs between which a difference that matters is excluded."""
    pairs = [pair for pair in comparison.pairs if pair.verdict == "equivalent"]
    if not pairs:
        return []
    size = margin_text(comparison.family)
    if comparison.family.versus is not None:
        return [f"Equivalent means a difference of less than {size}."]
    names = [f"{name_of(pair.a)} and {name_of(pair.b)}" for pair in pairs[:MOST_NAMED]]
    more = f"; and {len(pairs) - MOST_NAMED} more pairs" if len(pairs) > MOST_NAMED else ""
    return [f"Equivalent, with a difference of less than {size}: {'; '.join(names)}{more}."]


def _of_family(family: Family) -> list[str]:
    """Return a sentence on the family, and one that tells it from the study's own if it is another."""
    corrected = f"corrected together ({family.p_correction}, {family.alpha})"
    number = f"{family.pairs} test{'' if family.pairs == 1 else 's'}"
    if family.versus is None:
        tests = f"{number} of all pairs of groups, {corrected}."
    else:
        of_study = ", the study's reference" if _is_own(family) else ""
        tests = f"{number} against {name_of(family.versus)}{of_study}, {corrected}."
    if family.reference is None or _is_own(family):
        return [tests]
    return [
        f"{tests} This is another family of tests than the study's own, which compares with"
        f" {name_of(family.reference)}: the same runs may get other verdicts."
    ]


def _is_own(family: Family) -> bool:
    """Return whether the family compares with the study's reference."""
    same = (None if group is None else key(group) for group in (family.versus, family.reference))
    return len(set(same)) == 1


def _listed(names: Sequence[str], last: str) -> str:
    if len(names) > MOST_NAMED:
        return f"{', '.join(names[:MOST_NAMED])} {last} {len(names) - MOST_NAMED} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"
