"""Claims about linear networks, and about what the articles state of the functions themselves: 1 and 12."""

from collections.abc import Mapping
from functools import cache, partial

from service.domain.activations.stated import Holds, Value, judgements
from service.domain.claims.accuracy import accuracy
from service.domain.claims.answer import Claim, Part, Verdict, claim
from service.domain.claims.observations import STANDARD, Fields, Observations, Setting, Side
from service.domain.claims.pairs import difference, open_part
from service.domain.claims.rules import within

SAME = 1e-6
EQUIVALENT = partial(within, low=-0.005, high=0.005, confidence=0.9)
OF_STATEMENTS: Mapping[Holds, Verdict] = {
    "holds": "supported", "does not hold": "refuted", "cannot be computed": "undecided",
}  # fmt: skip
NETWORK: Fields = {path: value for path, value in STANDARD.items() if path != "model.dense_layers"} | {
    "model.pool": "avg",
    "activation": "linear",
}


def first(observations: Observations) -> Claim:
    parts = []
    for setting in observations.settings(["model.dense_layers"], NETWORK):
        one, ten = (setting.side(model__dense_layers=depth) for depth in (1, 10))
        parts += [_collapse(setting, side) for side in setting.sides.values()]
        if one is not None and ten is not None:
            title = "accuracy(depth 10) - accuracy(depth 1)"
            parts.append(difference(title, setting, ten, one, accuracy, EQUIVALENT, "fraction"))
    wanted = "linear networks with average pooling, of 1 and of 10 dense layers"
    regression = open_part("accuracy - accuracy of softmax regression", [
        "a softmax regression of the same images, which is no network that a spec describes"])  # fmt: skip
    return claim(
        1,
        "Linear layers collapse to one.",
        "linear, average pooling, in float64: W and b from 785 inputs reproduce all test logits to 1e-6; depth 10"
        " equivalent to depth 1 (TOST, 0.5 pp either way) and to softmax regression (1 pp)",
        [*(parts or [open_part("one linear layer", [wanted])]), regression],
    )


def _collapse(setting: Setting, side: Side) -> Part:
    differences = [run.largest_difference for run in side.succeeded.values() if run.largest_difference is not None]
    title = f"{side.name}: largest difference of a logit from W x + b"
    if not differences:
        return open_part(title, [f"the logits of {side.name} held against W x + b"], setting.context, [side])
    largest = max(differences)
    return Part(
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
def _statements() -> tuple[Part, ...]:
    return tuple(
        Part(
            title=f"{each.activation}: {each.property}, stated {_shown(each.stated)}, computed {_shown(each.computed)}",
            verdict=OF_STATEMENTS[each.verdict],
            missing=["a value to hold it against"] if each.verdict == "cannot be computed" else [],
        )
        for each in judgements()
    )


def _shown(value: Value) -> str:
    """As JSON would have it, figures to 7 digits."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_shown, value))}]"
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return f"{value:.7g}" if isinstance(value, int | float) else value


def twelfth(_: Observations) -> Claim:
    parts = _statements()
    wrong = [part.title for part in parts if part.verdict == "refuted"]
    return claim(
        12,
        "The properties are as the articles state them.",
        "every stated property equals the computed one; mismatches are listed",
        parts,
        notes=[f"Not so: {each}" for each in wrong],
    )
