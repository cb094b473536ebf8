"""Claims about linear networks, and about the properties that the articles state of the functions: 1 and 12."""

from collections.abc import Mapping, Sequence
from functools import cache, partial

from service.domain.activations.stated import Holds, Value, judgements
from service.domain.article_claims.accuracy import accuracy
from service.domain.article_claims.answer import ArticleClaim, ClaimPart, Verdict, article_claim
from service.domain.article_claims.observations import STANDARD, Fields, Observations, Setting, Side
from service.domain.article_claims.pairs import Rule, difference, open_part
from service.domain.article_claims.rules import within

SAME = 1e-6
HALF_A_POINT = partial(within, low=-0.005, high=0.005, confidence=0.9)
A_POINT = partial(within, low=-0.01, high=0.01, confidence=0.9)
OF_STATEMENTS: Mapping[Holds, Verdict] = {
    "holds": "supported", "does not hold": "refuted", "cannot be computed": "undecided",
}  # fmt: skip
CONVOLUTIONS, DEPTH = "model.conv_channels", "model.dense_layers"
NETWORK: Fields = {path: value for path, value in STANDARD.items() if path not in (CONVOLUTIONS, DEPTH)} | {
    "model.pool": "avg",
    "activation": "linear",
}
SHAPES: Mapping[str, Fields] = {
    "depth 1": {CONVOLUTIONS: STANDARD[CONVOLUTIONS], DEPTH: 1},
    "depth 10": {CONVOLUTIONS: STANDARD[CONVOLUTIONS], DEPTH: 10},
    "softmax regression": {CONVOLUTIONS: "[]", DEPTH: 0},
}


def linear_layers_collapse(observations: Observations) -> ArticleClaim:
    settings = observations.settings([CONVOLUTIONS, DEPTH], NETWORK)
    collapses = [_collapse(setting, side) for setting in settings for side in _with_hidden_layers(setting)]
    networks = "linear networks with average pooling, of 1 and of 10 dense layers"
    return article_claim(
        1,
        "Linear layers collapse to one.",
        "linear, average pooling, in float64: W and b from 785 inputs reproduce all test logits to 1e-6; depth 10"
        " equivalent to depth 1 (TOST, 0.5 pp either way), and both to softmax regression (1 pp)",
        [
            *(collapses or [open_part("one linear layer", [networks])]),
            *_as_accurate(settings, "depth 10", "depth 1", HALF_A_POINT),
            *_as_accurate(settings, "depth 1", "softmax regression", A_POINT),
            *_as_accurate(settings, "depth 10", "softmax regression", A_POINT),
        ],
    )


def _with_hidden_layers(setting: Setting) -> list[Side]:
    """Return all sides but softmax regression, which is one linear layer by construction."""
    return [side for side in setting.sides.values() if side.factors != SHAPES["softmax regression"]]


def _as_accurate(settings: Sequence[Setting], name: str, other_name: str, rule: Rule) -> list[ClaimPart]:
    """Compare two networks in every setting that has both; an open part where there is none."""
    title, parts = f"accuracy({name}) - accuracy({other_name})", []
    for setting in settings:
        a, b = (setting.side(**SHAPES[name]) for name in (name, other_name))
        if a is not None and b is not None:
            parts.append(difference(title, setting, a, b, accuracy, rule, "fraction"))
    return parts or [open_part(title, [f"linear networks ({name}, {other_name}) that differ in nothing else"])]


def _collapse(setting: Setting, side: Side) -> ClaimPart:
    differences = [run.largest_difference for run in side.succeeded.values() if run.largest_difference is not None]
    title = f"{side.name}: largest difference of a logit from W x + b"
    if not differences:
        return open_part(title, [f"the logits of {side.name} held against W x + b"], setting.context, [side])
    largest = max(differences)
    return ClaimPart(
        title=title,
        verdict="supported" if largest <= SAME else "refuted",
        context=setting.context,
        n=len(differences),
        mean=largest,
        unit="logits",
        limit=SAME,
        evidence=[side.evidence],
    )


@cache
def _statements() -> tuple[ClaimPart, ...]:
    return tuple(
        ClaimPart(
            title=f"{judgement.activation}: {judgement.property},"
            f" stated {_shown(judgement.stated)}, computed {_shown(judgement.computed)}",
            verdict=OF_STATEMENTS[judgement.verdict],
            missing=["a value to hold it against"] if judgement.verdict == "cannot be computed" else [],
        )
        for judgement in judgements()
    )


def _shown(value: Value) -> str:
    """Write a value as JSON does, figures to 7 digits."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_shown, value))}]"
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return f"{value:.7g}" if isinstance(value, int | float) else value


def properties_are_as_stated(_: Observations) -> ArticleClaim:
    parts = _statements()
    refuted = [part.title for part in parts if part.verdict == "refuted"]
    return article_claim(
        12,
        "The properties are as the articles state them.",
        "every stated property equals the computed one; mismatches are listed",
        parts,
        notes=[f"Not so: {title}" for title in refuted],
    )
