import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from worker.training.datasets import Dataset, Locations, load
from worker.training.idx import SOURCES


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
    if not all((folder / "mnist" / file.name).is_file() for file in SOURCES["mnist"].files):
        missing = "needs ACTLAB_DATA_DIR with mnist/train-images-idx3-ubyte.gz and the other three files"
        if os.environ.get("ACTLAB_REQUIRE_SERVICES") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    return load("mnist", Locations(home=tmp_path_factory.mktemp("home"), data_dir=folder))
