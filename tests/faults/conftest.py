from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from service.domain.results import EpochMetrics
from service.domain.spec import ExperimentSpec
from service.storage.database import Database
from tests.stack.conftest import make_service
from tests.stack.services import SHORT, Json, Service
from worker.training.datasets import Locations, load
from worker.training.loop import Callbacks, train
from worker.training.precision import Execution
from worker.training.progress import Progress

__all__ = ["make_service"]

SPEC: Json = SHORT | {"epochs": 6}


@pytest.fixture
def open_service(make_service: Callable[..., Service]) -> Iterator[Callable[..., tuple[Service, Database]]]:
    """Starts a service with its crash points, and opens its database beside it."""
    opened: list[Database] = []

    def start(**settings: str) -> tuple[Service, Database]:
        service = make_service(**settings).start()
        database = Database(service.database_url)
        opened.append(database)
        return service, database

    yield start
    for database in opened:
        database.close()


class Measured(Callbacks):
    def __init__(self) -> None:
        self.epochs: list[dict[str, Any]] = []

    def on_epoch(self, progress: Progress, metrics: EpochMetrics | None) -> None:
        if metrics is not None:
            self.epochs.append(metrics.model_dump(exclude={"seconds", "images_per_second"}))


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The figures of SPEC, trained in one go and in this process."""
    spec = ExperimentSpec.model_validate(SPEC)
    measured = Measured()
    data = load("mnist_5k", Locations(Path(tmp_path_factory.mktemp("home"))))
    train(spec, data, Execution.resolve(spec, device="cpu", threads=1), measured)
    return measured.epochs
