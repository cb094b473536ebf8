import os
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
import torch

from service.datasets.locations import Locations
from service.domain.datasets import DATASETS
from service.process.shutdown import Shutdown
from service.settings import Settings
from service.storage.engine.database import Database
from tests.conftest import make_experiment
from tests.worker.attempts import TINY
from worker.context import WorkerContext
from worker.identity import Identity
from worker.training.datasets.tensors import Dataset, load


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    """Puts back what training sets for the whole process."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def mnist(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The real MNIST, from ACTLAB_DATA_DIR. Skips without it; fails where every service is required."""
    folder = Path(os.environ.get("ACTLAB_DATA_DIR", ""))
    publication = DATASETS["mnist"].publication
    assert publication is not None
    if not all((folder / "mnist" / file.name).is_file() for file in publication.files):
        missing = "needs ACTLAB_DATA_DIR with mnist/train-images-idx3-ubyte.gz and the other three files"
        if os.environ.get("ACTLAB_REQUIRE_SERVICES") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    return load("mnist", Locations(home=tmp_path_factory.mktemp("home"), data_dir=folder))


@pytest.fixture
def shutdown() -> Shutdown:
    return Shutdown()


@pytest.fixture
def context(database: Database, settings: Settings, shutdown: Shutdown) -> Iterator[WorkerContext]:
    settings = settings.model_copy(update={"threads": 1, "outage_seconds": 1.0})
    opened = WorkerContext.open(settings, database, Identity("w1", "cpu", "test"), shutdown)
    opened.lease_renewer.start()
    yield opened
    opened.lease_renewer.stop()


@pytest.fixture
def experiment(database: Database) -> UUID:
    return database.run("make", lambda s: make_experiment(s, **TINY)).id
