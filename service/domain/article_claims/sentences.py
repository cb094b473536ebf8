"""Sentences on what was found about a part of a claim."""

import re

from service.domain.article_claims.answer import ArticleClaim, ClaimPart

_TITLES = (
    (re.compile(r"A\((.+)\) - A\((.+)\)"), r"The speed of learning A of \1 minus that of \2"),
    (re.compile(r"accuracy\((.+)\) - accuracy\((.+)\)"), r"The test accuracy of \1 minus that of \2"),
    (re.compile(r"ln\(step time (\S+) / (\S+)\)"), r"The logarithm of the step time of \1 over that of \2"),
)


def sentences(claim: ArticleClaim) -> list[str]:
    """Return a sentence for each part of a claim, with its figure, interval, n and verdict or what is missing.

    Parts of several settings name theirs, by the fields in which it differs from the article's protocol.
    """
    contexts = {tuple(part.context.items()) for part in claim.parts if part.evidence}
    return [_sentence(part, with_context=len(contexts) > 1) for part in claim.parts]


def _sentence(part: ClaimPart, *, with_context: bool) -> str:
    fields = ", ".join(f"{path} {value}" for path, value in part.context.items()) if with_context else ""
    subject = _subject(part.title) + (f" ({fields})" if fields else "")
    if part.mean is None:
        return f"{subject}: {_outcome(part)}."
    return f"{subject} is {_figure(part)}: {_outcome(part)}."


def _subject(title: str) -> str:
    for pattern, words in _TITLES:
        if pattern.fullmatch(title):
            return pattern.sub(words, title)
    return title[:1].upper() + title[1:]


def _figure(part: ClaimPart) -> str:
    seeds = f"{part.n} seed{'' if part.n == 1 else 's'}"
    figure = f"{_number(part, part.mean or 0.0)}{_unit(part)}"
    if part.interval is None or part.confidence is None:
        return f"{figure}, the mean of {seeds}"
    low, high = part.interval
    level = f"{100 * part.confidence:.4g} %"
    limit = "" if part.limit is None else f", limit {_number(part, part.limit)}"
    return f"{figure} ({level} interval {_number(part, low)} to {_number(part, high)}, {seeds}{limit})"


def _number(part: ClaimPart, value: float) -> str:
    return f"{100 * value:.2f}" if part.unit == "fraction" else f"{value:.4g}"


def _unit(part: ClaimPart) -> str:
    if part.unit == "fraction":
        return " percentage points" if " - " in part.title else " %"
    return f" {part.unit}" if part.unit not in ("", "ln") else ""  # the title names the logarithm


def _outcome(part: ClaimPart) -> str:
    if part.verdict != "undecided" or not part.missing:
        return part.verdict
    return f"undecided, because it needs {' and '.join(part.missing)}"
