"""Record the figures of a fault test for the table in docs/reliability.md."""

import json
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from uuid import UUID

import pytest

from service.storage.engine.database import Database
from tests.faults.history import Verdict, judge

PROPERTY = "scenario"
STACKS = {"embedded": "embedded", "sqlite": "embedded", "production": "production", "postgresql": "production"}


@dataclass
class Figures:
    """The figures of one run of one test on one stack: `lost` to `gaps` must be 0; `recovery` is in seconds.

    The report of a run stores them under these names.
    """

    promise: str
    fault: str
    stack: str
    accepted: int = 0
    injected: int = 0
    lost: int = 0
    doubled: int = 0
    stale: int = 0
    gaps: int = 0
    recovery: float | None = None


class Scenario:
    """Collects a test's figures; `judge` asserts every promise on the database that the faults have left."""

    def __init__(self, figures: Figures) -> None:
        self.figures = figures

    def inject(self, times: int = 1) -> None:
        """Count faults that the test has injected."""
        self.figures.injected += times

    def record_recovery(self, seconds: float) -> None:
        """Record a recovery time that the trace cannot show; the longest counts."""
        self.figures.recovery = max(seconds, self.figures.recovery or 0.0)

    def judge(self, database: Database, before: Collection[UUID] = ()) -> Verdict:
        """Assert that nothing is lost, doubled, stale or left open, except experiments that existed `before`.

        The recovery time is the longest pause in the work on any experiment, unless the test has recorded one.
        """
        verdict = judge(database, before)
        assert verdict.clean, verdict
        self.add(verdict)
        return verdict

    def add(self, verdict: Verdict) -> None:
        figures = self.figures
        figures.accepted += verdict.accepted
        figures.lost += verdict.accepted - verdict.terminal
        figures.doubled += verdict.doubled
        figures.stale += verdict.stale
        figures.gaps += verdict.gaps
        if figures.recovery is None:
            figures.recovery = verdict.longest_pause

    def add_races(self, rounds: int) -> None:
        """Count races of two transactions for one row, each of which the test has judged itself."""
        self.figures.accepted += rounds
        self.figures.injected += rounds


def recording(request: pytest.FixtureRequest) -> Iterator[Scenario]:
    """Store the figures of a test marked `proves(promise, fault)` in the report of the run."""
    marker = request.node.get_closest_marker("proves")
    assert marker is not None, "mark the test: @pytest.mark.proves(promise, fault)"
    scenario = Scenario(Figures(marker.args[0], marker.args[1], _stack(request.node.name)))
    yield scenario
    assert scenario.figures.injected, "the test has injected no fault"
    assert scenario.figures.accepted, "the test has judged nothing"
    request.node.user_properties.append((PROPERTY, json.dumps(asdict(scenario.figures))))


def _stack(name: str) -> str:
    """Return the stack that a test's parameters name: `test_...[production-seize]`."""
    words = name.partition("[")[2].rstrip("]").split("-")
    (stack,) = {STACKS[word] for word in words if word in STACKS}
    return stack
