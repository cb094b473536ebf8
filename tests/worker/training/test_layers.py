import pytest
import torch
from torch import nn

from worker.training.layers import BATCH_NORM_EPSILON, BatchNorm, Dropout


def dropout(share: float, seed: int = 0) -> Dropout:
    return Dropout(share, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("share", [0.05, 0.25, 0.5, 0.9])
def test_dropout_drops_its_share_and_keeps_the_mean(share: float) -> None:
    dropped = dropout(share)(torch.ones(400_000))
    # Five standard errors of a share over 400,000 draws.
    assert (dropped == 0).float().mean().item() == pytest.approx(share, abs=5 * (share * (1 - share) / 4e5) ** 0.5)
    assert dropped.unique().tolist() == [0, pytest.approx(1 / (1 - share), rel=1e-3)]


def test_each_quarter_of_a_random_word_decides_alike() -> None:
    shares = (dropout(0.5)(torch.ones(400_000)) == 0).float().view(-1, 4).mean(dim=0)
    assert shares.tolist() == pytest.approx([0.5] * 4, abs=0.008)


def test_neighbours_are_dropped_independently() -> None:
    masks = dropout(0.5)(torch.ones(400_000)).view(-1, 4)
    assert torch.corrcoef(masks.T).fill_diagonal_(0).abs().max() < 0.02


def test_dropout_masks_come_from_their_own_stream() -> None:
    x = torch.ones(3, 5)
    assert torch.equal(dropout(0.5)(x), dropout(0.5)(x))
    assert not torch.equal(dropout(0.5)(x), dropout(0.5, seed=1)(x))


def test_gradients_pass_through_the_same_mask() -> None:
    x = torch.ones(1000, requires_grad=True)
    dropped = dropout(0.25)(x)
    [gradient] = torch.autograd.grad(dropped.sum(), x)
    assert torch.equal(gradient, dropped)


def test_dropout_keeps_the_dtype() -> None:
    assert dropout(0.25)(torch.ones(8, dtype=torch.bfloat16)).dtype == torch.bfloat16


def test_dropout_does_nothing_in_evaluation_or_at_rate_zero() -> None:
    x = torch.ones(100)
    assert dropout(0.5).eval()(x) is x
    assert dropout(0.0)(x) is x


def test_a_share_just_below_one_still_keeps_some() -> None:
    assert (dropout(1 - 1e-12)(torch.ones(2_000_000)) != 0).any()


def test_batch_norm_is_pytorchs_with_kerass_epsilon() -> None:
    ours, theirs = BatchNorm(3), nn.BatchNorm2d(3, eps=BATCH_NORM_EPSILON, momentum=0.25)
    ours.momentum = 0.25
    x = torch.rand(8, 3, 5, 5)
    assert torch.equal(ours(x), theirs(x))
    assert torch.equal(ours.eval()(x), theirs.eval()(x))
