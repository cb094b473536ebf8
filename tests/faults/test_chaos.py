"""Random kills: a few for every change, many at night. The seed is in the name of the test."""

import pytest

from tests.faults import chaos


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("stack", ["embedded", "production"])
@pytest.mark.parametrize("seed", [7])
def test_random_kills_lose_and_double_nothing(stack: str, seed: int) -> None:
    verdict = chaos.run(stack, kills=6, experiments=6, seed=seed)
    assert verdict.accepted == 6
    assert verdict.clean, verdict


@pytest.mark.nightly
@pytest.mark.timeout(5400)
@pytest.mark.parametrize("stack", ["embedded", "production"])
@pytest.mark.parametrize("seed", [1])
def test_two_hundred_random_kills_over_a_hundred_experiments(stack: str, seed: int) -> None:
    verdict = chaos.run(stack, kills=200, experiments=100, seed=seed)
    assert verdict.accepted == 100
    assert verdict.clean, verdict
