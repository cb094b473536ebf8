"""Formulas in training: the catalogue's functions written out, other people's functions, and learned parameters."""

from typing import Any

import numpy as np
import pytest
import torch

from service.domain.activations.catalogue import CATALOGUE
from service.domain.activations.selection import ActivationSpec
from service.domain.formulas.evaluation import derivative, evaluate
from service.domain.formulas.parser import parse
from service.domain.formulas.rewriting import stable
from tests.domain.formulas.generating import POINTS, TEXTBOOK
from tests.worker.make import make_data, make_execution, make_spec
from tests.worker.training.test_resume import Recorder, assert_same, interrupted, run
from worker.training.activations import build, definition, kernel_for
from worker.training.loop import train
from worker.training.model import Network
from worker.training.randomness import Streams

DATA = make_data()
WRITABLE = [name for name, row in CATALOGUE.items() if row.draw is None]  # rrelu's slopes are drawn, which no text says
LEARNED = {"formula": "x * sigmoid(a * x) + b", "parameters": {"a": {"value": 0.5, "learnable": True}, "b": 0.1}}


def choice(formula: str, **parameters: Any) -> ActivationSpec:
    return ActivationSpec.model_validate({"formula": formula, "parameters": parameters})


def written_out(name: str, form: str = "{}") -> dict[str, Any]:
    """The row as a formula, with a number or a learnable start for each name in it."""
    row = CATALOGUE[name]
    parameters = {
        p.name: {"value": p.default, "learnable": p.learnable} for p in row.parameters if p.name in row.formula
    }
    return {"formula": form.format(row.formula), "parameters": parameters}


def losses(activation: Any) -> list[float]:
    """Training and validation losses of 20 steps in 5 epochs. Max-pooling would hand a gradient to another element
    wherever rounding settles a tie, which no tolerance covers: the average moves no further than the rounding."""
    sgd = {"name": "sgd", "learning_rate": 0.01}
    spec = make_spec(activation=activation, epochs=5, optimizer=sgd, model={"pool": "avg"})
    recorder = Recorder()
    train(spec, DATA, make_execution(spec), recorder)
    return [metrics[name] for metrics in recorder.metrics for name in ("train_loss", "validation_loss")]


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITABLE)
def test_train_gives_the_same_bits_for_a_row_and_its_formula(name: str) -> None:
    by_name = losses(name)
    assert len(by_name) == 10
    assert losses(written_out(name)) == by_name  # the same kernel, and so the same bits
    # Inside a needless where it is not recognised, and is evaluated op by op.
    assert losses(written_out(name, "where(1, {}, x)")) == pytest.approx(by_name, abs=1e-5)


@pytest.mark.parametrize("name", WRITABLE)
def test_recognised_finds_the_row_of_a_written_out_formula(name: str) -> None:
    assert ActivationSpec.model_validate(written_out(name)).definition is CATALOGUE[name]
    assert stable(CATALOGUE[name].expression) == CATALOGUE[name].expression


@pytest.mark.parametrize(
    ("formula", "parameters", "name", "learned"),
    [
        ("where(x > 0, x, 0.3 * x)", {}, "leaky_relu", {"slope": 0.3}),
        ("where(x > 0, x, c * x)", {"c": 0.3}, "leaky_relu", {"slope": 0.3}),
        ("where(x > 0, x, -0.3 * x)", {}, "prelu", {"slope": -0.3}),
        ("where(x > 0, x, slope * x)", {"slope": {"value": 0.3, "learnable": True}}, "prelu", {"slope": 0.3}),
        ("x * sigmoid(2 * x)", {}, "swish", {"beta": 2.0}),
        ("sigmoid(x * 2) * x", {}, "swish", {"beta": 2.0}),
        ("sigmoid(x) * x", {}, "silu", {}),
        ("tanh(softplus(x)) * x", {}, "mish", {}),
        ("(erf(x / sqrt(2)) + 1) * x / 2", {}, "gelu", {}),
        ("where(x > 0, x, x * c)", {"c": 0.3}, "leaky_relu", {"slope": 0.3}),
        ("x / (1 + exp(-x))", {}, "silu", {}),
        ("log(1 + exp(x))", {}, "softplus", {}),
        ("x * tanh(log(1 + exp(x)))", {}, "mish", {}),
        ("where(x > 0, x, exp(x) - 1)", {}, None, {}),
        ("where(x > 0, x, 2 * (exp(x) - 1))", {}, "elu", {"alpha": 2.0}),
        ("where(x > 0, x, c * expm1(x / c))", {"c": 2.0}, "celu", {"alpha": 2.0}),
        ("where(x > 0, x, 2 * expm1(x / 3))", {}, None, {}),
        ("where(x > 0, x, c * x)", {"c": {"value": 0.3, "learnable": True}}, None, {}),
        ("where(x > 0, x, 3 * x)", {}, None, {}),
        ("where(x > 0, x, a * expm1(x))", {"a": -1.0}, None, {}),
        ("tanh(x) * 1", {}, None, {}),
        ("maximum(x, 0)", {}, "relu", {}),
        ("max(0, x)", {}, "relu", {}),
        ("x * (x > 0)", {}, "relu", {}),
        ("(0 < x) * x", {}, "relu", {}),
        ("(x + abs(x)) / 2", {}, "relu", {}),
        ("0.5 * (abs(x) + x)", {}, "relu", {}),
        ("where(x >= 0, x, 0)", {}, "relu", {}),
        ("where(x < 0, 0, x)", {}, "relu", {}),
        ("where(0 >= x, x * 0.2, x)", {}, "leaky_relu", {"slope": 0.2}),
        ("maximum(0.2 * x, x)", {}, "leaky_relu", {"slope": 0.2}),
        ("maximum(x, c * x)", {"c": 0.3}, "leaky_relu", {"slope": 0.3}),
        ("clip(x, 0, 6)", {}, "relu6", {}),
        ("max(min(6, x), 0)", {}, "relu6", {}),
        ("clip(x, -1, 1)", {}, "hard_tanh", {}),
        ("maximum(x, 2 * x)", {}, None, {}),
        ("maximum(x, c * x)", {"c": {"value": 0.3, "learnable": True}}, None, {}),
        ("maximum(x, 1)", {}, None, {}),
        ("minimum(x, 0)", {}, None, {}),
        ("clip(x, 0, 1)", {}, None, {}),
        ("where(x >= 0, 1, 0)", {}, None, {}),
        ("(x + abs(x)) / 3", {}, None, {}),
        ("x * (x > 1)", {}, None, {}),
        ("where(x >= 0, x, expm1(x))", {}, None, {}),
    ],
)
def test_recognised_finds_no_row_for_another_function(
    formula: str, parameters: dict[str, Any], name: str | None, learned: dict[str, float]
) -> None:
    spec = choice(formula, **parameters)
    assert spec.definition.name == (name or "")
    if name is not None:
        assert {at: p.value for at, p in spec.recognised.parameters.items()} == learned
        x = torch.linspace(-3, 3, 25)
        module = build(spec, torch.Generator()).eval()
        own = definition(
            stable(parse(spec.formula or "", parameters)), x, {n: p.value for n, p in spec.parameters.items()}
        )
        torch.testing.assert_close(module(x), own)


@pytest.mark.parametrize(
    ("activation", "first"),
    [
        ({"formula": "where(x > 0, x, 0)"}, True),
        ({"formula": "where(x > 0, x, -1 * x)"}, False),
        ({"formula": "2 * tanh(x)"}, False),  # it never falls, but no rule proves it
        ({"formula": "abs(x)"}, False),
    ],
)
def test_network_pools_first_for_proven_rows_alone(activation: dict[str, Any], first: bool) -> None:
    spec = make_spec(activation=activation)
    assert Network(spec, Streams(0)).named_blocks()["conv2"].pool_first is first


def test_initialise_takes_the_recommendation_of_the_recognised_row() -> None:
    recommended = {"init": "recommended"}
    for formula, name in (("where(x > 0, x, 0)", "relu"), ("tanh(x) + x", "tanh")):
        weight, other_weight = (
            Network(make_spec(activation=activation, model=recommended), Streams(0)).output.weight
            for activation in ({"formula": formula}, name)
        )
        assert torch.equal(weight, other_weight)


@pytest.mark.parametrize("text", TEXTBOOK)
def test_activation_agrees_with_the_definition_of_a_formula(text: str) -> None:
    tree, x = stable(parse(text)), np.array([p for p in POINTS if p], np.float32)
    z = torch.from_numpy(x).requires_grad_()
    y = build(choice(text), torch.Generator())(z)
    (slopes,) = torch.autograd.grad(y.sum(), z)
    exact, slope = evaluate(tree, x.astype(float), {}), derivative(tree, x.astype(float), {})
    usable = np.isfinite(exact) & (np.abs(exact) < 3e38) & np.isfinite(slope) & (np.abs(slope) < 3e38)
    assert usable.sum() >= 6
    np.testing.assert_allclose(y.detach().numpy()[usable], exact[usable], rtol=2e-5, atol=2e-6)
    np.testing.assert_allclose(slopes.numpy()[usable], slope[usable], rtol=1e-4, atol=1e-5)


def test_activation_keeps_slope_zero_where_an_inner_exponential_overflows() -> None:
    x = torch.tensor([-1e4, -100.0, 1.0], requires_grad=True)
    for text in ("exp(-exp(-x))", "tanh(expm1(-x))", "1 / (2 + exp(-x))"):
        y = build(choice(text), torch.Generator())(x)
        (slopes,) = torch.autograd.grad(y.sum(), x)
        assert slopes.isfinite().all()
        assert slopes[:2].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("text", "slope"),
    [
        ("x * sqrt(abs(x))", 0),
        ("x * abs(x) ** 0.25 + x", 1),
        ("sqrt(x ** 4)", 0),
        ("sqrt(x * x) ** 3 - x", -1),
        ("(x * x) ** 0.75", 0),
        ("sin(x) * cbrt(x)", 0),
        ("where(abs(x) > 0, x ** 2 * log(abs(x)), 0)", 0),
        ("x * asin(1 - x * x)", np.pi / 2),
        ("sqrt(abs(x))", 0),  # a vertical tangent on both sides, where training takes 0
        ("where(x > 0, sqrt(x), -sqrt(-x))", 0),
        ("x * sqrt(abs(x)) + 0 * softmax(x)", 0),
    ],
)
def test_training_takes_a_finite_slope_at_0(text: str, slope: float) -> None:
    x = torch.tensor([[0.0, -0.0]], requires_grad=True)
    y = build(choice(text), torch.Generator())(x)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    assert gradient[0].tolist() == pytest.approx([slope, slope], abs=1e-6)


@pytest.mark.parametrize("text", ["x ** (x - x)", "-x ** (x - x)", "log(abs(x) + 1) ** (2 * x - x - x)"])
def test_training_takes_slope_0_of_an_argument_that_is_constant(text: str) -> None:
    """The slope of the power by its exponent, log(x), is NaN below 0, times the slope 0 of the exponent."""
    x = torch.linspace(-100, 100, 41, requires_grad=True)
    y = build(choice(text), torch.Generator())(x)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    assert gradient.tolist() == [0.0] * 41


def test_train_does_not_diverge_on_a_root_that_is_smooth_at_0() -> None:
    assert np.isfinite(losses({"formula": "x * sqrt(abs(x))"})).all()
    spec = make_spec(activation={"formula": "x * sqrt(abs(x))"}, model={"batch_norm": False})
    recorder = Recorder()
    train(spec, DATA, make_execution(spec), recorder)
    assert all(np.isfinite(metrics["train_loss"]) for metrics in recorder.metrics)


@pytest.mark.parametrize("text", ["softmax(1)", "3", "softmax(x) * x", "x > 0"])
def test_train_accepts_degenerate_formulas(text: str) -> None:
    assert np.isfinite(losses({"formula": text})).all()


def test_kernel_for_unrecognised_formulas_is_the_definition() -> None:
    assert getattr(kernel_for(choice("2 * tanh(x)")), "func", None) is definition
    assert getattr(kernel_for(choice("tanh(x)")), "func", None) is not definition


def test_train_moves_learned_parameters_alone() -> None:
    spec = make_spec(activation=LEARNED, epochs=3)
    trained = run(spec, Recorder())
    learned = {name: tensor.item() for name, tensor in trained.last.items() if ".learned." in name}
    assert {name.rpartition(".")[2] for name in learned} == {"a"}
    assert all(value != 0.5 for value in learned.values())


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_train_resumes_a_learned_formula_in_the_same_bits(precision: str) -> None:
    spec = make_spec(activation=LEARNED, epochs=3, precision=precision)
    recorder = Recorder()
    uninterrupted = run(spec, recorder)
    resumed, whole = interrupted(spec, ("step", 3), ("epoch", 1), ("step", 9))
    assert whole.metrics == recorder.metrics
    assert_same(resumed, uninterrupted)
