"""A data set of another shape and number of classes, from its files through training to its figures."""

import gzip
from pathlib import Path

import numpy as np
import pytest
import torch

from service.datasets.idx import encode
from service.datasets.locations import Locations
from service.datasets.published import md5
from service.domain.activations.cost import estimated_cost
from service.domain.datasets import DATASETS, DatasetDefinition, Publication, PublishedFile
from service.domain.diagnostics import LayerDiagnostics
from service.domain.estimates import Pace, PlannedCell, estimate, images
from service.domain.network import activated_elements, layer_names, layers
from service.domain.spec import ExperimentSpec
from tests.worker.make import make_execution, make_spec
from tests.worker.training.test_undisturbed import Diagnosed
from worker.training.datasets.tensors import Dataset, Datasets
from worker.training.diagnostics.collapse import linear_collapse, may_collapse
from worker.training.loop import Trained, train

NAME, SHAPE, CLASSES = "colours", (3, 32, 32), 20
NAMES = ("train-images.gz", "train-labels.gz", "test-images.gz", "test-labels.gz")


def make_files(folder: Path, train_images: int = 400, test_images: int = 100) -> tuple[PublishedFile, ...]:
    """Write images of noise, with a bright row in one channel that tells the class, and return their checksums."""
    random, contents = np.random.RandomState(0), []
    for number in (train_images, test_images):
        labels = (np.arange(number) % CLASSES).astype(np.uint8)
        pixels = random.randint(0, 128, (number, *SHAPE)).astype(np.uint8)
        pixels[np.arange(number), labels % 2, labels + 5] = 255
        contents += [encode(pixels), encode(labels)]
    folder.mkdir(parents=True)
    files = []
    for name, content in zip(NAMES, contents, strict=True):
        (folder / name).write_bytes(gzip.compress(content))
        files.append(PublishedFile(name, md5(content)))
    return tuple(files)


@pytest.fixture
def locations(tmp_path: Path) -> Locations:
    return Locations(home=tmp_path / "home", data_dir=tmp_path / "data", user_home=tmp_path, working_folder=tmp_path)


@pytest.fixture
def colours(locations: Locations, monkeypatch: pytest.MonkeyPatch) -> DatasetDefinition:
    """Register a data set of 32x32 pixels in 3 channels and 20 classes, whose files are there."""
    first, second, third, fourth = make_files(locations.own(NAME)[0])
    publication = Publication(
        files=(first, second, third, fourth), mirrors=(), largest_file=10**6, torchvision="Colours", keras="colours"
    )
    definition = DatasetDefinition(NAME, SHAPE, CLASSES, training_images=400, test_images=100, publication=publication)
    monkeypatch.setitem(DATASETS, NAME, definition)
    return definition


@pytest.fixture
def data(colours: DatasetDefinition, locations: Locations) -> Dataset:
    return Datasets(locations).get(NAME)


def train_one_epoch(spec: ExperimentSpec, data: Dataset) -> tuple[Trained, list[LayerDiagnostics]]:
    diagnosed = Diagnosed()
    return train(spec, data, make_execution(spec), diagnosed), diagnosed.layers


def test_load_reads_images_of_several_channels(data: Dataset) -> None:
    assert data.train_images.shape == (400, *SHAPE)
    assert data.train_images.dtype == torch.uint8
    assert data.test_labels.bincount().tolist() == [5] * CLASSES


def test_train_scores_every_class_and_measures_every_layer(data: Dataset) -> None:
    spec = make_spec(dataset=NAME, epochs=1)
    trained, rows = train_one_epoch(spec, data)
    assert trained.last["blocks.conv1.kernel.weight"].shape == (3, 3, 3, 3)
    assert trained.last["blocks.dense1.kernel.weight"].shape == (8, 4 * 14 * 14)
    assert trained.last["output.weight"].shape == (CLASSES, 8)
    assert np.sum(trained.result.confusion_matrix, axis=1).tolist() == [5] * CLASSES
    assert [figures.label for figures in trained.result.per_class] == list(range(CLASSES))
    assert [(row.epoch, row.layer) for row in rows] == [
        (epoch, name) for epoch in (0, 1) for name in layer_names(spec.model)
    ]
    assert [row.units for row in rows[:4]] == [layer.units for layer in layers(spec)] == [3, 4, 8, CLASSES]
    assert all(row.gradient_norm and not row.non_finite for row in rows)


def test_train_learns_some_of_the_classes(data: Dataset) -> None:
    spec = make_spec(dataset=NAME, epochs=8, classes=[2, 9], dropout=0.0, batch_size=4)
    assert train_one_epoch(spec, data)[0].result.last.test_accuracy > 0.9


def test_linear_collapse_takes_one_image_a_value_of_the_input(data: Dataset) -> None:
    spec = make_spec(dataset=NAME, epochs=1, activation="linear", model={"pool": "avg"})
    trained, _ = train_one_epoch(spec, data)
    collapse = linear_collapse(spec, trained.last, data.test_images)
    assert may_collapse(spec)
    assert (collapse.inputs, collapse.images, collapse.collapsed) == (3 * 32 * 32 + 1, 100, True)


def test_estimated_time_is_by_experiments_on_images_of_the_same_shape(colours: DatasetDefinition) -> None:
    spec, other = make_spec(dataset=NAME), make_spec(dataset="mnist_5k")
    assert images(spec) == 320
    assert images(make_spec(dataset=NAME, classes=[0, 1])) == 32
    assert estimate([PlannedCell(spec, 1)], [Pace(other, 3.0)], 1).train_seconds is None
    known = [Pace(other, 3.0), Pace(make_spec(dataset=NAME, activation="tanh"), 5.0)]
    assert estimate([PlannedCell(spec, 1)], known, 1).train_seconds == pytest.approx(2 * 5.0)


def test_estimated_memory_is_of_the_maps_of_this_shape(colours: DatasetDefinition) -> None:
    spec = make_spec(dataset=NAME)
    elements = activated_elements(spec)
    assert elements == 32 * (3 * 30 * 30 + 4 * 28 * 28 + 8)
    cost = estimated_cost(spec.activation, elements)
    assert cost.bytes_per_batch == cost.bytes_per_element * elements
