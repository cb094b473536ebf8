from collections.abc import Callable

import pytest
import torch
from torch import nn

from worker.training.layers import BATCH_NORM_EPSILON, BatchNorm, Convolution, Dense, Dropout


def dropout(share: float, seed: int = 0) -> Dropout:
    return Dropout(share, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("share", [0.05, 0.25, 0.5, 0.9])
def test_dropout_drops_its_share_and_keeps_the_mean(share: float) -> None:
    dropped = dropout(share)(torch.ones(400_000))
    # Five standard errors of a share over 400,000 draws.
    assert (dropped == 0).float().mean().item() == pytest.approx(share, abs=5 * (share * (1 - share) / 4e5) ** 0.5)
    assert dropped.unique().tolist() == [0, pytest.approx(1 / (1 - share), rel=1e-3)]


def test_dropout_uses_all_quarters_of_a_random_word_alike() -> None:
    shares = (dropout(0.5)(torch.ones(400_000)) == 0).float().view(-1, 4).mean(dim=0)
    assert shares.tolist() == pytest.approx([0.5] * 4, abs=0.008)


def test_dropout_drops_neighbours_independently() -> None:
    masks = dropout(0.5)(torch.ones(400_000)).view(-1, 4)
    assert torch.corrcoef(masks.T).fill_diagonal_(0).abs().max() < 0.02


def test_dropout_draws_masks_from_its_own_generator() -> None:
    x = torch.ones(3, 5)
    assert torch.equal(dropout(0.5)(x), dropout(0.5)(x))
    assert not torch.equal(dropout(0.5)(x), dropout(0.5, seed=1)(x))


def test_dropout_applies_its_mask_to_gradients() -> None:
    x = torch.ones(1000, requires_grad=True)
    dropped = dropout(0.25)(x)
    [gradient] = torch.autograd.grad(dropped.sum(), x)
    assert torch.equal(gradient, dropped)


def test_dropout_keeps_the_dtype() -> None:
    assert dropout(0.25)(torch.ones(8, dtype=torch.bfloat16)).dtype == torch.bfloat16


def test_dropout_returns_its_input_in_evaluation_or_at_share_zero() -> None:
    x = torch.ones(100)
    assert dropout(0.5).eval()(x) is x
    assert dropout(0.0)(x) is x


def test_dropout_of_a_share_just_below_one_keeps_some() -> None:
    assert (dropout(1 - 1e-12)(torch.ones(2_000_000)) != 0).any()


def test_batch_norm_equals_pytorchs_with_keras_epsilon() -> None:
    ours, theirs = BatchNorm(3), nn.BatchNorm2d(3, eps=BATCH_NORM_EPSILON, momentum=0.25)
    ours.momentum = 0.25
    x = torch.rand(8, 3, 5, 5)
    assert torch.equal(ours(x), theirs(x))
    assert torch.equal(ours.eval()(x), theirs.eval()(x))


@pytest.mark.parametrize("layer", [lambda: Convolution(2, 3, add_bias=True), lambda: Dense(2, 3, add_bias=True)])
def test_layer_draws_nothing_from_the_global_stream(layer: Callable[[], nn.Module]) -> None:
    before = torch.get_rng_state()
    built = layer()
    assert torch.equal(torch.get_rng_state(), before)
    assert list(built.state_dict()) == ["weight", "bias"]
    assert not built.get_parameter("bias").any()


def test_convolution_without_added_bias_equals_pytorchs_without_bias() -> None:
    ours, theirs = Convolution(2, 3, add_bias=False), nn.Conv2d(2, 3, 3, bias=False)
    for parameter in ours.parameters():
        nn.init.ones_(parameter)
    nn.init.ones_(theirs.weight)
    images = torch.rand(4, 2, 6, 6)
    torch.testing.assert_close(ours(images), theirs(images))
    assert ours.weight.is_contiguous(memory_format=torch.channels_last)
