"""What a fault test proves, and the figures that it leaves for the table in docs/reliability.md."""

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
    """Of one run of one test, on one stack. All but the first four should be 0; `back` is in seconds."""

    promise: str
    fault: str
    stack: str
    accepted: int = 0
    injected: int = 0
    lost: int = 0
    doubled: int = 0
    stale: int = 0
    gaps: int = 0
    back: float | None = None


class Scenario:
    """Collects a test's figures; `proved` holds every promise to the database that the faults have left."""

    def __init__(self, figures: Figures) -> None:
        self.figures = figures

    def inject(self, times: int = 1) -> None:
        """Count faults that the test has done to the service."""
        self.figures.injected += times

    def back(self, seconds: float) -> None:
        """Note how long it took until work went on; the longest counts. For what the trace cannot tell."""
        self.figures.back = max(seconds, self.figures.back or 0.0)

    def proved(self, database: Database, before: Collection[UUID] = ()) -> Verdict:
        """Nothing is lost, doubled, stale or left open but for experiments that were there `before`. Unless the test
        has noted a time, it is the longest pause in the work on any experiment."""
        verdict = judge(database, before)
        assert verdict.clean, verdict
        self.add(verdict)
        return verdict

    def add(self, verdict: Verdict) -> None:
        mine = self.figures
        mine.accepted += verdict.accepted
        mine.lost += verdict.accepted - verdict.terminal
        mine.doubled += verdict.doubled
        mine.stale += verdict.stale
        mine.gaps += verdict.gaps
        if mine.back is None:
            mine.back = verdict.longest_pause

    def raced(self, rounds: int) -> None:
        """So many times two met at one row, and the test has judged each time itself."""
        self.figures.accepted += rounds
        self.figures.injected += rounds


def recording(request: pytest.FixtureRequest) -> Iterator[Scenario]:
    """For a test that is marked `proves(promise, fault)`: leaves its figures in the report of the run."""
    marker = request.node.get_closest_marker("proves")
    assert marker is not None, "mark it: @pytest.mark.proves(promise, fault)"
    scenario = Scenario(Figures(marker.args[0], marker.args[1], _stack(request.node.name)))
    yield scenario
    assert scenario.figures.injected, "the test has noted no fault"
    assert scenario.figures.accepted, "the test has judged nothing"
    request.node.user_properties.append((PROPERTY, json.dumps(asdict(scenario.figures))))


def _stack(name: str) -> str:
    """Read from the test's parameters: `test_...[production-seize]`."""
    words = name.partition("[")[2].rstrip("]").split("-")
    (found,) = {STACKS[word] for word in words if word in STACKS}
    return found
