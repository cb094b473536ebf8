"""Programs run block by block against the same programs run at once."""

import random

import pytest
import torch
from torch import Tensor

from service.domain.activations.selection import ActivationSpec
from service.domain.formulas.parser import parse
from service.domain.formulas.programs import INPUT
from service.domain.formulas.rewriting import stable
from service.domain.formulas.tokens import FormulaError
from tests.domain.formulas.generating import TEXTBOOK, grammatical
from tests.worker.training.test_formula_cost import bytes_kept
from worker.training import programs
from worker.training.activations import build, definition

SHAPE = (5, 8, 11, 13)  # four blocks of 1,500, the last one shorter


@pytest.fixture
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "BLOCK", 1500)


def images(dtype: torch.dtype, *, channels_last: bool = True) -> Tensor:
    x = torch.randn(SHAPE, generator=torch.Generator().manual_seed(3)) * 3
    x[0, 0] = torch.linspace(-40, 40, 11 * 13).view(11, 13)
    return x.to(dtype).contiguous(memory_format=torch.channels_last if channels_last else torch.contiguous_format)


def figures(text: str, x: Tensor, learned: tuple[str, ...] = ()) -> list[Tensor]:
    """f(x), and the gradients by x and by each learned parameter of a weighted sum."""
    x = x.clone().requires_grad_()
    values = {name: torch.tensor(0.7, requires_grad=True) for name in learned}
    y = definition(stable(parse(text, learned)), x, values)
    weights = torch.rand(SHAPE, generator=torch.Generator().manual_seed(1)).to(x.dtype)
    weights = weights.contiguous(memory_format=torch.channels_last)
    if not y.requires_grad:
        return [y]
    inputs = [x, *values.values()]
    return [y.detach(), *torch.autograd.grad((y * weights).sum(), inputs, allow_unused=True, materialize_grads=True)]


def assert_equal(text: str, x: Tensor, learned: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    in_blocks = figures(text, x, learned)
    with monkeypatch.context() as patch:
        patch.setattr(programs, "BLOCK", 2**30)
        at_once = figures(text, x, learned)
    for part, whole in zip(in_blocks, at_once, strict=True):
        assert part.stride() == whole.stride()
        rtol = 1e-3 if part.dim() == 0 else 1e-2 if x.dtype == torch.bfloat16 else 1e-5
        torch.testing.assert_close(part, whole, rtol=rtol, atol=1e-6, equal_nan=True, msg=lambda m: f"{text}: {m}")


@pytest.mark.usefixtures("_small_blocks")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("text", [*TEXTBOOK, "exp(-exp(-x))", "3", "x"])
def test_evaluated_in_blocks_equals_evaluated_at_once(
    text: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_equal(text, images(dtype), (), monkeypatch)


@pytest.mark.usefixtures("_small_blocks")
@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize(("text", "learned"), [*((text, ()) for text in TEXTBOOK), ("x * sigmoid(a * x) + a", ("a",))])
def test_tabulated_values_and_slopes_are_those_that_are_evaluated(
    text: str, learned: tuple[str, ...], channels_last: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = images(torch.bfloat16, channels_last=channels_last)
    evaluated = figures(text, x, learned)
    monkeypatch.setattr(programs, "TABLED", 1)
    for tabled, other in zip(figures(text, x, learned), evaluated, strict=True):
        torch.testing.assert_close(tabled, other, rtol=1e-2 if tabled.dim() else 1e-4, atol=1e-6)
        assert tabled.dim() == 0 or (tabled == other).float().mean() > 0.99  # but for a rounding of the last bit


def test_tabulated_refuses_what_has_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    x, tree = images(torch.bfloat16), parse("tanh(x)")
    assert programs.tabulated(tree, x, {}, [INPUT]) is None  # too few elements
    monkeypatch.setattr(programs, "TABLED", 1)
    assert programs.tabulated(tree, x, {}, [INPUT]) is not None
    assert programs.tabulated(tree, x.float(), {}, [INPUT]) is None
    assert programs.tabulated(tree, x[:, ::2], {}, [INPUT]) is None
    assert programs.tabulated(parse("3"), x, {}, [INPUT]) is None


@pytest.mark.usefixtures("_small_blocks")
def test_evaluated_in_blocks_equals_evaluated_at_once_for_generated_formulas(monkeypatch: pytest.MonkeyPatch) -> None:
    rng, compared = random.Random(2), 0
    while compared < 60:
        text, learned = grammatical(rng, rng.randint(1, 5)), ("a", "b")
        try:
            stable(parse(text, learned))
        except FormulaError:
            continue
        assert_equal(text, images(torch.float32, channels_last=compared % 2 == 0), learned, monkeypatch)
        compared += 1


@pytest.mark.usefixtures("_small_blocks")
def test_evaluated_in_blocks_takes_0_for_0_times_infinity() -> None:
    y, slopes = figures("exp(-exp(-x))", images(torch.float32) - 100)
    assert y.isfinite().all()
    assert slopes.isfinite().all()


@pytest.mark.usefixtures("_small_blocks")
@pytest.mark.parametrize(("text", "size"), [("x * tanh(softplus(x))", 4), ("exp(x)", 4), ("x + x", 0)])
def test_evaluated_in_blocks_keeps_the_slope_alone(text: str, size: int) -> None:
    tree = parse(text)
    assert bytes_kept(lambda x: definition(tree, x, {}), shape=SHAPE) == size


def test_flattened_refuses_tensors_with_gaps() -> None:
    x = images(torch.float32)
    assert programs.flattened(x[:, ::2]) is None
    flat = programs.flattened(x)
    assert flat is not None
    assert flat.data_ptr() == x.data_ptr()


@pytest.mark.parametrize("name", ["mish", "prelu", "tanh_shrink"])
def test_kernel_for_slow_functions_is_a_table_of_the_same_values(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    x = images(torch.bfloat16)
    by_kernel: list[Tensor] = []
    by_table: list[Tensor] = []
    for results, least in ((by_kernel, 2**30), (by_table, 1)):
        monkeypatch.setattr(programs, "TABLED", least)
        module = build(ActivationSpec(name=name), torch.Generator())
        z = x.clone().requires_grad_()
        y = module(z)
        assert programs.has_table(z) == (least == 1)
        inputs = [z, *module.parameters()]
        results += [y.detach(), *torch.autograd.grad(y.float().sum(), inputs)]
    for one, other in zip(by_kernel, by_table, strict=True):
        torch.testing.assert_close(one, other, rtol=0.02, atol=0.01)
