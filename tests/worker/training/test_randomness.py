import torch

from worker.training.randomness import Streams


def test_streams_of_one_seed_are_equal() -> None:
    assert torch.equal(torch.rand(5, generator=Streams(3).init), torch.rand(5, generator=Streams(3).init))
    assert torch.equal(Streams(3).order(1, 100), Streams(3).order(1, 100))


def test_streams_differ_by_seed_and_purpose() -> None:
    drawn = [
        torch.rand(1, generator=generator).item()
        for seed in (0, 1, 2**53 - 1)
        for streams in [Streams(seed)]
        for generator in (streams.init, streams.conv_dropout, streams.dense_dropout, streams.activation)
    ]
    assert len(set(drawn)) == len(drawn)


def test_order_is_a_permutation_of_its_own_for_each_epoch() -> None:
    first, second = Streams(0).order(1, 1000), Streams(0).order(2, 1000)
    assert sorted(first.tolist()) == list(range(1000))
    assert not torch.equal(first, second)


def test_load_state_dict_continues_the_streams() -> None:
    streams = Streams(0)
    torch.rand(7, generator=streams.conv_dropout)
    state = streams.state_dict()
    expected = torch.rand(7, generator=streams.conv_dropout)
    other = Streams(0)
    other.load_state_dict(state)
    assert torch.equal(torch.rand(7, generator=other.conv_dropout), expected)
