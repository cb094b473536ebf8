"""Claims in sentences."""

from typing import Any

import pytest

from service.domain.article_claims.answer import ArticleClaim, ClaimPart, Evidence
from service.domain.article_claims.sentences import sentences

MISSING = "5 seeds with a value; there are 3 (sigmoid and tanh)"


def make_claim(*parts: ClaimPart) -> ArticleClaim:
    return ArticleClaim(number=4, claim="c", rule="r", verdict="undecided", missing=[], parts=list(parts))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"title": "A(sigmoid) - A(tanh)", "n": 3, "mean": 1.221, "unit": "ln nats", "missing": [MISSING]},
            "The speed of learning A of sigmoid minus that of tanh is 1.221 ln nats, the mean of 3 seeds: undecided,"
            f" because it needs {MISSING}.",
        ),
        (
            {"title": "accuracy(swish) - accuracy(relu)", "n": 10, "mean": 0.0123, "unit": "fraction", "limit": 0.0005,
             "interval": (0.01, 0.015), "confidence": 0.95, "verdict": "supported"},
            "The test accuracy of swish minus that of relu is 1.23 percentage points (95 % interval 1.00 to 1.50,"
            " 10 seeds, limit 0.05): supported.",
        ),
        (
            {"title": "conv1: zero share", "n": 5, "mean": 0.5, "unit": "fraction", "interval": (0.49, 0.51),
             "confidence": 0.95, "verdict": "refuted"},
            "Conv1: zero share is 50.00 % (95 % interval 49.00 to 51.00, 5 seeds): refuted.",
        ),
        ({"title": "swish falls and rises", "verdict": "supported"}, "Swish falls and rises: supported."),
        (
            {"title": "ln(step time relu / tanh)", "missing": ["runs of tanh"]},
            "The logarithm of the step time of relu over that of tanh: undecided, because it needs runs of tanh.",
        ),
    ],
)  # fmt: skip
def test_sentences_of_a_part(fields: dict[str, Any], sentence: str) -> None:
    assert sentences(make_claim(ClaimPart(**{"verdict": "undecided", **fields}))) == [sentence]


def test_sentences_of_several_settings_name_them() -> None:
    evidence = [Evidence(factors={}, seeds=[], experiments=[])]
    parts = [
        ClaimPart(title="step", verdict="supported", context={"dataset": name}, evidence=evidence)
        for name in ("mnist_5k", "fashion_mnist")
    ]
    assert sentences(make_claim(*parts)) == ["Step (dataset mnist_5k): supported.",
                                             "Step (dataset fashion_mnist): supported."]  # fmt: skip
    assert sentences(make_claim(parts[0])) == ["Step: supported."]
