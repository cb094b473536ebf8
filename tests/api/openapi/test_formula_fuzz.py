"""Generated and mutated formulas in every step before training.

python -m pytest -m nightly tests/api/openapi/test_formula_fuzz.py -s
"""

import json
import math
import random
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from fastapi.testclient import TestClient
from pydantic import ValidationError

from service.api.views.activations import curve_view
from service.domain.activations.cost import estimated_cost
from service.domain.activations.properties import undefined
from service.domain.activations.selection import ActivationSpec
from service.domain.formulas.derivatives import derivative_formula
from service.domain.formulas.evaluation import evaluate
from service.domain.formulas.expression import is_elementwise
from service.domain.formulas.latex import latex
from tests.api.serving import ACTIVATIONS
from tests.domain.exact import Unknown, exact
from tests.domain.formulas.generating import generated
from worker.training.activations import build

POINTS = np.array([-1e4, -20, -1.5, -0.3, 0, 0.7, 3, 90, 1e4], np.float32)
TRAINED = np.unique(np.concatenate([np.linspace(-100, 100, 401), POINTS[1:-1]]).astype(np.float32))
VALUES = {"a": 0.5, "b": -1.25, "beta": 1.0, "slope": 0.01, "alpha": 1.0, "threshold": 0.5, "lower": 0.1, "upper": 0.3}


@dataclass
class Tally:
    formulas: int = 0
    accepted: int = 0
    previews: int = 0
    finite: int = 0
    """The number of values that are finite in float32, as they must be."""
    trained: int = 0
    """The number of formulas that are defined everywhere, and so train with finite values and slopes."""
    slowest_curve: float = 0.0
    slowest_preview: float = 0.0


def fuzz(client: TestClient, count: int, seed: int, every: int) -> Tally:
    """Check `count` formulas, and every `every`th one over HTTP too."""
    rng, tally = random.Random(seed), Tally()
    for number in range(count):
        text = generated(rng)
        spec = _judged(text)
        tally.formulas += 1
        if spec is not None:
            tally.accepted += 1
            _check(text, spec, tally)
        if number % every == 0:
            _preview(client, text, spec, tally)
    return tally


def _judged(text: str) -> ActivationSpec | None:
    """Return the spec with the known parameters that the formula uses; None if it is refused."""
    used = {name: value for name, value in VALUES.items() if name in text}
    try:
        return ActivationSpec.model_validate({"formula": text, "parameters": used})
    except ValidationError as error:
        # As the a in abs, which is no parameter.
        if any(details["type"] == "unused_parameter" for details in error.errors()):
            return _with_those_named(text)
        return None


def _with_those_named(text: str) -> ActivationSpec | None:
    for used in ({}, {"a": 0.5}, {"b": -1.25}, {"a": 0.5, "b": -1.25}):
        try:
            return ActivationSpec.model_validate({"formula": text, "parameters": used})
        except ValidationError:
            continue
    return None


def _check(text: str, spec: ActivationSpec, tally: Tally) -> None:
    row, values = spec.definition, spec.values
    started = time.thread_time()
    curve_view(spec, -1e4, 1e4, 2001)
    tally.slowest_curve = max(tally.slowest_curve, time.thread_time() - started)
    slope = derivative_formula(row.expression)
    assert latex(row.expression if slope is None else slope)
    assert estimated_cost(spec, 1).time_ratio >= 1
    if is_elementwise(row.expression):
        _train(text, spec, tally)
        figures = evaluate(row.expression, POINTS, values)
        for x, value in zip(POINTS, figures, strict=True):
            try:
                expected = exact(row.expression, float(x), values)
            except Unknown:
                continue
            assert math.isfinite(value), f"{text!r} at {x}: {value}, exactly {expected}"
            tally.finite += 1


def _train(text: str, spec: ActivationSpec, tally: Tally) -> None:
    """Check that training in float32 is finite from -100 to 100 for a formula that is called defined."""
    if undefined(spec.definition.expression, spec.values):
        return
    x = torch.from_numpy(TRAINED).requires_grad_()
    y = build(spec, torch.Generator())(x)
    slopes = torch.autograd.grad(y.sum(), x)[0] if y.requires_grad else torch.zeros(len(x))
    for name, tensor in (("value", y), ("slope", slopes)):
        wrong = TRAINED[~tensor.detach().isfinite().numpy()]
        assert not len(wrong), f"{text!r}: no finite {name} at {wrong[:5]}"
    tally.trained += 1


def _preview(client: TestClient, text: str, spec: ActivationSpec | None, tally: Tally) -> None:
    parameters = {} if spec is None else {name: p.model_dump() for name, p in spec.parameters.items()}
    body = json.dumps({"formula": text, "parameters": parameters})
    started = time.perf_counter()
    answer = client.post(f"{ACTIVATIONS}/preview", content=body, headers={"Content-Type": "application/json"})
    tally.slowest_preview = max(tally.slowest_preview, time.perf_counter() - started)
    assert answer.status_code == (422 if spec is None else 200), (text, answer.text)
    _parse_strictly(answer.text)
    tally.previews += 1


def _parse_strictly(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


def _assert_sound(tally: Tally) -> None:
    assert tally.accepted > tally.formulas / 10
    assert tally.finite > tally.accepted
    assert tally.trained > tally.accepted / 5
    assert tally.slowest_curve < 0.1


def test_preview_of_some_formulas(steady: TestClient) -> None:
    _assert_sound(fuzz(steady, 600, seed=1, every=20))


@pytest.mark.slow
def test_preview_of_thousands_of_formulas(steady: TestClient) -> None:
    _assert_sound(fuzz(steady, 3_000, seed=2, every=15))


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_preview_of_a_hundred_thousand_formulas(steady: TestClient) -> None:
    tally = fuzz(steady, 100_000, seed=3, every=50)
    print(tally)  # noqa: T201  # the figure of docs/performance.md
    _assert_sound(tally)
