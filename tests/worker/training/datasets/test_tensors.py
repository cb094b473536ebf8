from pathlib import Path

import pytest
import torch

from service.datasets.locations import Locations
from worker.training.datasets.tensors import Dataset, Datasets


def test_datasets_loads_each_data_set_once(tmp_path: Path) -> None:
    datasets = Datasets(Locations(tmp_path))
    assert datasets.get("digits") is datasets.get("digits")


@pytest.mark.mnist
def test_load_reads_the_real_mnist(mnist: Dataset) -> None:
    assert mnist.train_images.shape == (60_000, 1, 28, 28)
    assert mnist.train_images.dtype == torch.uint8
    assert mnist.train_labels.bincount().tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert mnist.test_labels.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
