from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from service.datasets.locations import Locations
from service.domain.results import EpochMetrics
from service.domain.spec import ExperimentSpec
from tests.conftest import do_without
from tests.faults.scenario import Scenario
from tests.faults.stage import SPEC, Installation, Stage, installed
from tests.servers import PostgresServer, RedisServer, can_run_as_postgres, missing
from worker.training.datasets.tensors import load
from worker.training.execution import Execution
from worker.training.loop import Callbacks, train
from worker.training.state import TrainingState


@pytest.fixture(scope="session", params=["embedded", "production"])
def stack(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    absent = missing(*PostgresServer.PROGRAMS, *RedisServer.PROGRAMS)
    if name == "production" and (absent or not can_run_as_postgres()):
        do_without(f"PostgreSQL or Redis is not installed ({', '.join(absent) or 'no user postgres'})")
    return name


@pytest.fixture(scope="session")
def installation(stack: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation that all tests of a stack share, since starting it takes longest."""
    with installed(stack, tmp_path_factory.mktemp(stack)) as opened:
        yield opened


@pytest.fixture
def stage(installation: Installation, scenario: Scenario) -> Stage:
    opened = Stage(installation, scenario)
    opened.await_idle()
    return opened


@pytest.fixture
def open_stage(stack: str, tmp_path: Path, scenario: Scenario) -> Iterator[Callable[..., Stage]]:
    """Start an installation for one test, with settings of its own."""
    with ExitStack() as cleanup:

        def start(**settings: str) -> Stage:
            return Stage(cleanup.enter_context(installed(stack, tmp_path, **settings)), scenario)

        yield start


class EpochRecorder(Callbacks):
    """Keeps the figures of each epoch without its timings."""

    def __init__(self) -> None:
        self.epochs: list[dict[str, Any]] = []

    def on_epoch(self, state: TrainingState, metrics: EpochMetrics | None) -> None:
        if metrics is not None:
            self.epochs.append(metrics.model_dump(exclude={"seconds", "images_per_second"}))


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The figures of SPEC, trained in this process without interruption."""
    spec = ExperimentSpec.model_validate(SPEC)
    recorder = EpochRecorder()
    data = load("mnist_5k", Locations(Path(tmp_path_factory.mktemp("home"))))
    train(spec, data, Execution.resolve(spec, device="cpu", threads=1), recorder)
    return recorder.epochs
