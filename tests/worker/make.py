"""Specs, data and executions of small experiments; a test names only the fields that matter to it."""

from typing import Any

import numpy as np

from service.datasets.arrays import DatasetArrays
from service.domain.spec import ExperimentSpec
from worker.training.datasets.tensors import Dataset
from worker.training.execution import Device, Execution

SMALL = {"conv_channels": [3, 4], "dense_units": 8}


def make_spec(**overrides: Any) -> ExperimentSpec:
    """A network of some 5,000 parameters, two epochs of 4 steps over 128 images of `make_data()`."""
    model = SMALL | overrides.pop("model", {})
    fields = {"activation": "relu", "epochs": 2, "batch_size": 32, "validation_fraction": 0.2, "precision": "float32"}
    return ExperimentSpec.model_validate(fields | overrides | {"model": model})


def make_data(train: int = 160, test: int = 50, classes: int = 10) -> Dataset:
    """Images of noise with a bright row, whose height tells the class: learnable in a few steps."""
    random = np.random.RandomState(0)
    arrays = []
    for count in (train, test):
        labels = (np.arange(count) % classes).astype(np.uint8)
        images = random.randint(0, 128, (count, 1, 28, 28)).astype(np.uint8)
        images[np.arange(count), 0, 2 * labels + 4] = 255
        arrays += [images, labels]
    return Dataset.of(DatasetArrays("mnist_5k", *arrays))


def make_execution(spec: ExperimentSpec, threads: int = 1, device: Device = "cpu") -> Execution:
    return Execution.resolve(spec, device=device, threads=threads)
