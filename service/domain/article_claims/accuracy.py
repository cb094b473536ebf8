"""Claims about the accuracy that functions reach: 9 and 11."""

from collections import defaultdict
from collections.abc import Sequence
from functools import cache, partial

from service.domain.activations.stated import not_monotonic, swish_facts
from service.domain.article_claims.answer import ArticleClaim, ClaimPart, Verdict, article_claim, every
from service.domain.article_claims.observations import RATE, STANDARD, TUNED, Observations, Observed, Setting, Side
from service.domain.article_claims.pairs import contrast, difference, open_part
from service.domain.article_claims.rules import below, exceeds
from service.domain.comparisons.answer import ALPHA

FEWEST_SEEDS = 10
TWO_DATASETS = 2
BETTER = partial(exceeds, least=0.0005, fewest=FEWEST_SEEDS)
A_TENTH_POINT = 0.001
OTHERS = ("sigmoid", "tanh", "leaky_relu", "swish")  # the functions that the main article compares ReLU with
AT_ONE_RATE = "All at one learning rate, the article's, which favours some functions: a study that tunes says more."
AT_THEIR_OWN = "Each at the learning rate that the study chose for it."
BOTH_RATES = (STANDARD, TUNED)


def accuracy(run: Observed) -> float | None:
    return run.test_accuracy


def swish_is_better(observations: Observations) -> ArticleClaim:
    title = "accuracy(swish) - accuracy(relu)"
    parts = contrast(observations, title, "swish", "relu", accuracy, BETTER, "fraction", BOTH_RATES)
    return article_claim(
        9,
        "Swish is non-monotonic, lies between the linear function and ReLU, and is better.",
        "minimum -0.2785 at -1.2785; beta = 0 is x/2; sup |f - ReLU| <= 0.2785/beta; V(accuracy of swish - relu,"
        " 0.05 pp) from 10 seeds on two data sets",
        [*_facts(), *parts, *_second_dataset(parts)],
        notes=[*_rate_notes(parts), _not_alone()],
    )


def start_with_relu(observations: Observations) -> ArticleClaim:
    parts, verdicts = [], []
    for setting in (setting for fields in BOTH_RATES for setting in observations.settings(["activation"], fields)):
        relu, others = setting.side(activation="relu"), setting.activations()
        if relu is not None and len(others) > 1:
            comparisons = _against(setting, relu, {name: side for name, side in others.items() if name != "relu"})
            parts += comparisons
            verdicts.append(every(comparisons))
    missing = [] if parts else [open_part("accuracy(other) - accuracy(relu)", ["relu beside every other function"])]
    return article_claim(
        11,
        "Start with ReLU (or leaky ReLU).",
        "simultaneous upper end of every accuracy(other) - accuracy(relu) below 0.1 pp; one function's lower end above"
        " 0.1 pp on every data set refutes",
        [*parts, *missing],
        _overall_verdict(parts) if parts else "undecided",
        notes=_rate_notes(parts),
    )


@cache
def _facts() -> tuple[ClaimPart, ...]:
    """Return the parts of claim 9 about the function itself, checked against its values."""
    facts = swish_facts()
    return (
        _fact("swish falls and rises", facts.minimum < 0),
        _fact("its minimum is -0.2785 at -1.2785",
              abs(facts.minimum + 0.2785) < 5e-5 and abs(facts.minimum_at + 1.2785) < 5e-4),
        _fact("with beta = 0 it is x/2", facts.beta_0_is_half_of_x),
        _fact("|f - ReLU| <= 0.2785/beta", facts.within_the_bound),
    )  # fmt: skip


def _fact(title: str, holds: bool) -> ClaimPart:
    return ClaimPart(title=title, verdict="supported" if holds else "refuted")


@cache
def _not_alone() -> str:
    return f"That only swish is non-monotonic is refuted by {', '.join(sorted(not_monotonic()))}."


def _rate_notes(parts: Sequence[ClaimPart]) -> list[str]:
    notes = [AT_THEIR_OWN if part.context.get(RATE) == TUNED[RATE] else AT_ONE_RATE for part in parts if part.evidence]
    return list(dict.fromkeys(notes))


def _second_dataset(parts: Sequence[ClaimPart]) -> list[ClaimPart]:
    datasets = {part.context.get("dataset", "mnist") for part in parts if part.evidence}
    if len(datasets) >= TWO_DATASETS:
        return []
    return [open_part("on two data sets", [f"{TWO_DATASETS} data sets; there {'is' if len(datasets) == 1 else 'are'}"
                                           f" {len(datasets)}"])]  # fmt: skip


def _against(setting: Setting, relu: Side, others: dict[str, Side]) -> list[ClaimPart]:
    """Compare each other function with ReLU; the intervals hold together (Bonferroni)."""
    rule = partial(below, limit=A_TENTH_POINT, confidence=1 - ALPHA / len(others))
    parts = [
        difference(f"accuracy({name}) - accuracy(relu)", setting, side, relu, accuracy, rule, "fraction")
        for name, side in sorted(others.items())
    ]
    absent = [name for name in OTHERS if name not in others]
    return parts + [
        open_part(f"accuracy({name}) - accuracy(relu)", [f"runs of {name}"], setting.context) for name in absent
    ]


def _overall_verdict(parts: Sequence[ClaimPart]) -> Verdict:
    by_function: dict[str, list[Verdict]] = defaultdict(list)
    for part in parts:
        by_function[part.title].append(part.verdict)
    if any(set(verdicts) == {"refuted"} for verdicts in by_function.values()):
        return "refuted"
    return "supported" if {part.verdict for part in parts} == {"supported"} else "undecided"
