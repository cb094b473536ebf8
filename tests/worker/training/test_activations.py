"""Torch against the definitions: the tree evaluated op by op, and the fused kernels, values and derivatives."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from service.domain.activations.catalogue import CATALOGUE
from service.domain.activations.selection import ActivationSpec
from service.domain.formulas.evaluation import derivative, evaluate, trained
from service.domain.formulas.expression import (
    ARITY,
    Call,
    Expression,
    Reference,
    X,
    exp,
    expm1,
    log,
    softmax,
    sqrt,
    where,
)
from tests.domain.activations.cases import CASES, ELEMENTWISE, GRID
from worker.training.activations import build, definition, kernel_for

_CUDA = [pytest.mark.cuda, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _choice(name: str, **parameters: Any) -> ActivationSpec:
    return ActivationSpec.model_validate({"name": name, "parameters": parameters})


def _fixed(name: str, parameters: dict[str, float]) -> ActivationSpec:
    return _choice(name, **{parameter: {"value": value, "learnable": False} for parameter, value in parameters.items()})


def _module(choice: ActivationSpec, seed: int = 0) -> nn.Module:
    return build(choice, torch.Generator().manual_seed(seed))


def _both(function: Callable[[Tensor], Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
    """f(x) and the gradient of its sum."""
    x = x.clone().requires_grad_()
    y = function(x)
    if not y.requires_grad:
        return y, torch.zeros_like(x)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    return y.detach(), gradient


def _images(dtype: torch.dtype = torch.float32) -> Tensor:
    images = torch.randn(8, 6, 10, 10, generator=torch.Generator().manual_seed(3)) * 3
    return images.to(dtype).contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("fused", [False, True], ids=["tree", "module"])
@pytest.mark.parametrize(("name", "parameters"), [case for case in ELEMENTWISE if "straight_through" not in case[1]])
def test_activation_agrees_with_its_definition(name: str, parameters: dict[str, float], fused: bool) -> None:
    row, values = CATALOGUE[name], CATALOGUE[name].values(**parameters)
    module = _module(_fixed(name, parameters)).eval() if fused else partial(definition, row.expression, values=values)
    y, slopes = _both(module, torch.from_numpy(GRID))
    x = GRID.astype(float)
    assert y.dtype == torch.float32
    np.testing.assert_allclose(y.numpy(), evaluate(row.expression, x, values), rtol=3e-6, atol=1e-6)
    np.testing.assert_allclose(slopes.numpy(), derivative(row.expression, x, values), rtol=3e-6, atol=2e-6)


def _applied() -> Iterator[Expression]:
    """Each function of the language, over x and over x with a constant on either side."""
    for name, arity in sorted(ARITY.items()):
        if arity == 1:
            yield Call(name, (X,))
            yield Call(name, (1 - 2 * X,))
        if arity == 2 and name != "**":
            yield from (Call(name, (X, X * X + 0.25)), Call(name, (X, Reference("a"))), Call(name, (Reference("a"), X)))
    yield from (X**0, X**3, X**0.5, 2**X, where(Reference("a") <= X, X * X, -X), where(X - 1, X, 3), Reference("a"))


@pytest.mark.parametrize("tree", [tree for tree in _applied() if "softmax" not in repr(tree)], ids=str)
def test_definition_evaluates_every_function_as_numpy_does(tree: Expression) -> None:
    x = np.array([-800, -40, -2, -1, -0.5, -0.0, 0.0, 0.25, 0.5, 1, 3, 20.5, 40, 800])
    y, slopes = _both(partial(definition, tree, values={"a": 0.5}), torch.from_numpy(x))
    np.testing.assert_allclose(y.numpy(), evaluate(tree, x, {"a": 0.5}), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(slopes.numpy(), trained(tree, x, {"a": 0.5})[1], rtol=1e-12, atol=1e-15)
    shown = derivative(tree, x, {"a": 0.5})
    assert (np.isinf(shown) <= (slopes.numpy() == 0) | np.isinf(slopes.numpy())).all()  # 0 at a vertical tangent


@pytest.mark.parametrize("fused", [False, True], ids=["tree", "module"])
def test_softmax_has_its_values_and_gradient(fused: bool) -> None:
    expression = CATALOGUE["softmax"].expression
    function = _module(_choice("softmax")) if fused else partial(definition, expression, values={})
    for x in (_images(), torch.randn(5, 7), torch.tensor([[1e4, -1e4, 0.0]])):
        weights = torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
        y, gradient = _both(lambda x, w=weights: function(x) * w, x)  # type: ignore[misc]
        shares = torch.from_numpy(evaluate(expression, x.numpy(), {}))
        torch.testing.assert_close(y, shares * weights, rtol=1e-5, atol=1e-7)
        expected = shares * (weights - (shares * weights).sum(1, keepdim=True))
        torch.testing.assert_close(gradient, expected, rtol=1e-5, atol=1e-6)


def test_where_passes_gradients_of_all_inputs_of_a_softmax() -> None:
    x = _images()
    y, gradient = _both(partial(definition, where(X > 0, softmax(X), 0), values={}), x)
    shares, taken = torch.softmax(x, dim=1), (x > 0).float()
    torch.testing.assert_close(y, shares * taken)
    torch.testing.assert_close(gradient, shares * (taken - (shares * taken).sum(1, keepdim=True)))


@pytest.mark.parametrize("name", CATALOGUE)
def test_kernel_for_default_parameters_is_fused(name: str) -> None:
    assert getattr(kernel_for(_choice(name)), "func", None) is not definition
    assert getattr(kernel_for(_choice("swish", beta=0.5)), "func", None) is definition


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=_CUDA)])
@pytest.mark.parametrize(("name", "parameters"), CASES)
def test_activation_keeps_dtype_and_memory_format(name: str, parameters: dict[str, float], device: str) -> None:
    images = _images(torch.bfloat16).to(device)
    module = _module(_choice(name, **parameters)).eval().to(device)
    with torch.autocast(device, dtype=torch.bfloat16):
        y, gradient = _both(module, images)
    assert y.dtype == gradient.dtype == torch.bfloat16
    assert y.shape == images.shape
    assert y.is_contiguous(memory_format=torch.channels_last)
    exact = evaluate(CATALOGUE[name].expression, images.double().cpu().numpy(), CATALOGUE[name].values(**parameters))
    np.testing.assert_allclose(y.double().cpu().numpy(), exact, rtol=0.01, atol=1e-3)
    assert gradient.isfinite().all()


@pytest.mark.parametrize("name", [name for name, row in CATALOGUE.items() if row.non_decreasing])
def test_non_decreasing_activations_commute_with_max_pooling(name: str) -> None:
    module = _module(_choice(name))
    before, gradient_before = _both(lambda x: module(F.max_pool2d(x, 2)), _images())
    after, gradient_after = _both(lambda x: F.max_pool2d(module(x), 2), _images())
    torch.testing.assert_close(before, after)
    torch.testing.assert_close(gradient_before, gradient_after, rtol=1e-4, atol=1e-5)


def test_step_has_gradient_zero_unless_straight_through() -> None:
    x = torch.from_numpy(GRID)
    for slope in (0.0, 0.5, 1.0):
        y, gradient = _both(_module(_choice("step", straight_through=slope)), x)
        assert torch.equal(y, (x > 0).float())
        assert torch.equal(gradient, torch.full_like(x, slope))


def test_exponential_keeps_a_zero_gradient_where_it_overflows() -> None:
    x = torch.ones(3, requires_grad=True)
    (gradient,) = torch.autograd.grad(_module(_choice("step"))(x), x, torch.full((3,), torch.inf))
    assert torch.equal(gradient, torch.zeros(3))


@pytest.mark.parametrize(
    "tree",
    [
        where(X > 0, log(X), exp(-X * X)),
        where(X > 0, X, Reference("a") * expm1(X)),
        where(X < 0, -(Reference("a") ** 2), where(X > 1, sqrt(X - 1), X * exp(-exp(X)))),
        where(X > 0, where(X > 100, Reference("a"), exp(X)), 1 / (X - 1)),
    ],
    ids=str,
)
def test_where_sends_no_nan_from_the_other_branch(tree: Expression) -> None:
    learned = torch.tensor(0.5, requires_grad=True)
    x = torch.tensor([-1e4, -100.0, -1.0, -0.0, 0.0, 0.5, 2.0, 104.0, 1e4], requires_grad=True)
    y = definition(tree, x, {"a": learned})
    torch.autograd.backward(y.sum())
    assert x.grad is not None
    np.testing.assert_allclose(x.grad, derivative(tree, x.detach().numpy(), {"a": 0.5}), rtol=1e-5, atol=1e-37)
    if learned.grad is not None:
        above, below = (evaluate(tree, x.detach().double().numpy(), {"a": a}) for a in (0.5 + 1e-5, 0.5 - 1e-5))
        assert learned.grad.item() == pytest.approx((above - below).sum() / 2e-5, rel=1e-4)


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("(1 + exp(-x)) ** -a", [0, -np.log(2) / 4, 0]),
        ("x * sigmoid(x) ** a", [0, 0, 0]),
        ("(b + exp(-x)) ** -a", [0, -np.log(2) / 4, 0]),  # the base is infinite, and the power 0
    ],
)
def test_learned_exponent_has_a_finite_gradient(text: str, exact: list[float]) -> None:
    values = {name: value for name, value in (("a", 2.0), ("b", 1.0)) if name in text}
    parameters = {name: {"value": value, "learnable": True} for name, value in values.items()}
    module = _module(ActivationSpec.model_validate({"formula": text, "parameters": parameters}))
    learned = dict(module.named_parameters())
    for x, slope in zip([-95.0, 0.0, 95.0], exact, strict=True):
        y = module(torch.tensor([[x]])).sum()
        gradients = torch.autograd.grad(y, list(learned.values()))
        assert all(torch.isfinite(gradient) for gradient in gradients)
        assert gradients[list(learned).index("learned.a")].item() == pytest.approx(slope, abs=1e-6)


@pytest.mark.parametrize("text", ["asinh(exp(x))", "-asinh(-exp(x))"])
def test_asinh_keeps_its_slope_where_the_square_overflows(text: str) -> None:
    _, slopes = _both(_module(ActivationSpec(formula=text)), torch.tensor([0.0, 20.0, 44.0, 46.0, 88.0]))
    np.testing.assert_allclose(slopes.numpy(), [np.sqrt(0.5), 1, 1, 1, 1], rtol=1e-6)


def test_swish_learns_one_scalar_beta() -> None:
    module = _module(_choice("swish", beta={"value": 1.0, "learnable": True}))
    ((name, beta),) = module.named_parameters()
    assert (name, beta.shape, beta.dtype) == ("learned.beta", (), torch.float32)
    x = _images(torch.bfloat16)
    module(x).float().sum().backward()
    s = torch.sigmoid(x.double())
    assert beta.grad is not None
    assert beta.grad.item() == pytest.approx((x.double() ** 2 * s * (1 - s)).sum().item(), rel=1e-4)


def test_swish_stays_finite_for_beta_at_zero_and_below() -> None:
    module = _module(_choice("swish2", beta={"value": 0.0, "learnable": True}))
    beta = module.get_parameter("learned.beta")
    x = torch.from_numpy(GRID)
    for value in (0.0, -1.0):
        with torch.no_grad():
            beta.fill_(value)
        y, gradient = _both(module, x)
        assert y.isfinite().all()
        assert gradient.isfinite().all()
    assert _module(_choice("swish2", beta=0.0))(x).equal(x)


def test_prelu_learns_one_slope_from_a_quarter() -> None:
    module = _module(_choice("prelu"))
    (slope,) = module.parameters()
    assert (slope.item(), slope.shape) == (0.25, ())
    x = _images()
    module(x).sum().backward()
    assert slope.grad is not None
    assert slope.grad.item() == pytest.approx(x.clamp(max=0).sum().item(), rel=1e-5)


@pytest.mark.parametrize("name", [name for name in CATALOGUE if name != "prelu"])
def test_other_activations_learn_nothing_by_default(name: str) -> None:
    assert not list(_module(_choice(name)).parameters())


def test_rrelu_draws_slopes_uniformly_within_its_bounds() -> None:
    x = torch.tensor([-1.0, -0.5, -1e-3, -0.0]).repeat(16, 8, 8, 16).contiguous(memory_format=torch.channels_last)
    y, slopes = _both(_module(_choice("rrelu")), x)
    assert slopes.min() >= 1 / 8
    assert slopes.max() <= 1 / 3
    assert slopes.mean().item() == pytest.approx(11 / 48, abs=1e-3)
    assert slopes.std().item() == pytest.approx((1 / 3 - 1 / 8) / 12**0.5, rel=0.02)
    assert torch.equal(y, slopes * x)
    positive = 1e-3 - x
    assert torch.equal(_module(_choice("rrelu"))(positive), positive)


def test_rrelu_draws_the_same_slopes_in_every_precision() -> None:
    x = torch.full((4, 3, 8, 8), -1.0)
    single, half = (_module(_choice("rrelu"))(parameters) for parameters in (x, x.bfloat16()))
    assert torch.equal(single.bfloat16(), half)


def test_rrelu_draws_slopes_from_its_generator_alone() -> None:
    generator = torch.Generator().manual_seed(5)
    module = build(_choice("rrelu", lower=0.1, upper=0.9), generator)
    x, elsewhere = _images(), torch.get_rng_state()
    state = generator.get_state()
    first, second = module(x), module(x)
    generator.set_state(state)
    assert torch.equal(module(x), first)
    assert torch.equal(module(x), second)
    assert not torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), elsewhere)


def test_rrelu_accepts_its_bounds_in_either_order() -> None:
    upward = build(_choice("rrelu", lower=0.1, upper=0.9), torch.Generator().manual_seed(5))
    downward = build(_choice("rrelu", lower=0.9, upper=0.1), torch.Generator().manual_seed(5))
    assert torch.equal(upward(_images()), downward(_images()))


def test_rrelu_takes_the_mean_slope_in_evaluation() -> None:
    generator = torch.Generator().manual_seed(5)
    module = build(_choice("rrelu", lower=0.2, upper=0.6), generator).eval()
    state = generator.get_state()
    torch.testing.assert_close(module(_images()), F.leaky_relu(_images(), 0.4))
    assert torch.equal(generator.get_state(), state)
