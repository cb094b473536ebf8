import math
from typing import Any

import pytest
import torch
from torch import Tensor

from service.domain.spec import EarlyStopping as EarlyStoppingRule
from tests.worker.make import make_spec
from worker.training.model import Network
from worker.training.optimization import EarlyStopping, l2_penalty, make_optimizer, make_schedule
from worker.training.randomness import Streams

OPTIMIZERS = ["adam", "sgd", "adadelta"]


def loss_of(network: Network) -> Tensor:
    loss: Tensor = network(torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))).square().mean()
    return loss


def stepped(l2: float, *, in_the_loss: float = 0.0, **optimizer: Any) -> tuple[Network, Network]:
    """A network before and after one step."""
    spec = make_spec(dropout=0.0, optimizer={"l2": l2, **optimizer})
    before, network = Network(spec, Streams(0)), Network(spec, Streams(0))
    loss = loss_of(network) + in_the_loss * torch.stack([k.square().sum() for k in network.regularised()]).sum()
    torch.autograd.backward(loss)
    make_optimizer(spec, network).step()
    return before, network


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_applies_l2_as_a_term_of_the_loss(name: str) -> None:
    _, ours = stepped(0.01, name=name)
    _, explicit = stepped(0.0, in_the_loss=0.01, name=name)
    for parameter, expected in zip(ours.parameters(), explicit.parameters(), strict=True):
        torch.testing.assert_close(parameter, expected, rtol=1e-5, atol=1e-5)


def test_l2_penalty_sums_convolutions_and_the_first_dense_kernel() -> None:
    spec = make_spec(model={"dense_layers": 2}, optimizer={"l2": 0.5})
    network = Network(spec, Streams(0))
    kernels = [network.get_parameter(f"blocks.{name}.kernel.weight") for name in ("conv1", "conv2", "dense1")]
    expected = 0.5 * sum(kernel.detach().double().square().sum().item() for kernel in kernels)
    assert l2_penalty(spec, network) == pytest.approx(expected)


def test_sgd_moves_against_the_gradient() -> None:
    before, after = stepped(0.0, name="sgd", learning_rate=0.5)
    [gradient] = torch.autograd.grad(loss_of(before), before.output.weight)
    torch.testing.assert_close(after.output.weight, before.output.weight - 0.5 * gradient)


def test_adam_first_moves_by_the_learning_rate() -> None:
    before, after = stepped(0.0, name="adam", learning_rate=0.01)
    moved = (after.output.weight - before.output.weight).abs()
    assert moved.max().item() == pytest.approx(0.01, rel=1e-3)


def rates(losses: list[float], schedule: str, **optimizer: Any) -> list[float]:
    """The learning rate after each epoch."""
    spec = make_spec(schedule=schedule, epochs=len(losses), optimizer=optimizer)
    made = make_optimizer(spec, Network(spec, Streams(0)))
    following = make_schedule(spec, made)
    after = []
    for epoch, loss in enumerate(losses, start=1):
        following.after_epoch(epoch, loss)
        assert len({group["lr"] for group in made.param_groups}) == 1
        after.append(made.param_groups[0]["lr"])
    return after


def test_plateau_reduces_after_the_fifth_epoch_without_a_fall() -> None:
    assert rates([1.0] * 6, "reduce_on_plateau") == pytest.approx([1e-3] * 5 + [2e-4])


def test_plateau_starts_to_count_again_after_a_reduction() -> None:
    assert rates([1.0] * 11, "reduce_on_plateau")[-2:] == pytest.approx([2e-4, 4e-5])


def test_plateau_requires_a_fall_beyond_the_threshold() -> None:
    creeping = [1 - 1.9e-5 * epoch for epoch in range(6)]  # 9.5e-5 in all
    assert rates(creeping, "reduce_on_plateau")[-1] == pytest.approx(2e-4)
    falling = [1 - 1.1e-4 * epoch for epoch in range(6)]
    assert rates(falling, "reduce_on_plateau")[-1] == pytest.approx(1e-3)


def test_plateau_ends_at_the_lowest_rate() -> None:
    assert rates([1.0] * 40, "reduce_on_plateau")[-1] == pytest.approx(1e-5)


def test_cosine_falls_from_the_first_rate_to_zero() -> None:
    after = rates([1.0] * 4, "cosine", learning_rate=0.1)
    assert after == pytest.approx([0.1 * (1 + math.cos(math.pi * e / 4)) / 2 for e in (1, 2, 3, 4)], abs=1e-12)


def test_constant_keeps_the_rate() -> None:
    assert rates([1.0] * 9, "none", name="sgd") == [0.01] * 9


def waited(losses: list[float], **rule: Any) -> list[bool]:
    early_stopping = EarlyStopping(EarlyStoppingRule(**rule))
    after = []
    for loss in losses:
        early_stopping.after_epoch(loss)
        after.append(early_stopping.exhausted)
    return after


def test_early_stopping_waits_for_its_patience() -> None:
    assert waited([1.0, 0.9, 0.9, 0.95], patience=2) == [False, False, False, True]


def test_early_stopping_requires_a_fall_beyond_min_delta() -> None:
    assert waited([1.0, 0.95, 0.92], patience=2, min_delta=0.1) == [False, False, True]


def test_early_stopping_never_stops_without_a_rule() -> None:
    early_stopping = EarlyStopping(None)
    for _ in range(100):
        early_stopping.after_epoch(1.0)
    assert not early_stopping.exhausted
