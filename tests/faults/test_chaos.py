"""Random kills of processes: a few for work on the code, and many; both nightly. The test's id names the seed."""

import pytest

from tests.faults import chaos
from tests.faults.scenario import Scenario

FEW = pytest.param(6, 6, marks=[pytest.mark.nightly, pytest.mark.timeout(900)], id="few")
MANY = pytest.param(200, 100, marks=[pytest.mark.nightly, pytest.mark.timeout(5400)], id="many")


@pytest.mark.parametrize("stack", ["embedded", "production"], indirect=True)
@pytest.mark.parametrize(("kills", "experiments"), [FEW, MANY])
@pytest.mark.parametrize("seed", [1])
@pytest.mark.proves("all promises hold together", "SIGKILL of random workers and APIs at random times")
def test_random_kills_neither_lose_nor_repeat_experiments(
    scenario: Scenario, stack: str, kills: int, experiments: int, seed: int
) -> None:
    verdict = chaos.run(stack, kills, experiments, seed)
    assert verdict.accepted == experiments
    assert verdict.clean, verdict
    scenario.inject(kills)
    scenario.add(verdict)
