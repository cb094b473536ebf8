import io
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from service.datasets import image_source
from service.datasets.image_source import ImageSource
from service.datasets.locations import Locations
from service.domain.datasets import DATASETS
from service.domain.errors import DatasetNotFound, DatasetNotOnServer, ImageNotFound
from tests.datasets.publishing import PACKED, arrays, make_definition


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImageSource:
    """The images of a data set whose folder is still empty."""
    monkeypatch.setitem(DATASETS, "mnist", make_definition())
    monkeypatch.setattr(image_source, "AGAIN_SECONDS", 0)
    return ImageSource(Locations(home=tmp_path, user_home=tmp_path, working_folder=tmp_path))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "mnist"
    folder.mkdir(parents=True)
    for name, content in PACKED.items():
        (folder / name).write_bytes(content)
    return folder


def pixels(png: bytes) -> list[list[int]]:
    read: list[list[int]] = np.rint(imread(io.BytesIO(png), format="png") * 255).astype(int).tolist()
    return read


def test_png_shows_the_test_image_of_a_number(source: ImageSource, folder: Path) -> None:
    _, _, images, _ = arrays()
    for index in (0, 9):
        assert pixels(source.png("mnist", index)) == images[index].tolist()


def test_png_counts_the_images_of_chosen_classes(source: ImageSource, folder: Path) -> None:
    """Results of a spec with `classes` number the images of these classes alone."""
    _, _, images, labels = arrays()
    chosen = sorted({int(label) for label in labels[-2:]})
    last = int(np.isin(labels, chosen).sum()) - 1
    assert last < 9
    assert pixels(source.png("mnist", last, chosen)) == images[9].tolist()
    with pytest.raises(ImageNotFound, match=f"has {last + 1} test images of the classes"):
        source.png("mnist", last + 1, chosen)


@pytest.mark.parametrize("index", [10, -1])
def test_png_refuses_a_number_outside_the_test_set(source: ImageSource, folder: Path, index: int) -> None:
    with pytest.raises(ImageNotFound, match=f"mnist has 10 test images, numbered from 0; none is number {index}"):
        source.png("mnist", index)


def test_png_says_that_the_files_are_missing_until_they_come(
    source: ImageSource, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(DatasetNotOnServer, match="actlab data fetch mnist"):
        source.png("mnist", 0)
    request.getfixturevalue("folder")
    assert pixels(source.png("mnist", 0))


def test_png_looks_for_missing_files_once_in_ten_seconds(
    source: ImageSource, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_source, "AGAIN_SECONDS", 10)
    with pytest.raises(DatasetNotOnServer):
        source.png("mnist", 0)
    request.getfixturevalue("folder")
    with pytest.raises(DatasetNotOnServer):
        source.png("mnist", 0)


def test_png_names_a_damaged_file(source: ImageSource, folder: Path) -> None:
    (folder / "t10k-images-idx3-ubyte.gz").write_bytes(b"broken")
    with pytest.raises(DatasetNotOnServer, match="is not the published file"):
        source.png("mnist", 0)


def test_png_refuses_a_name_that_is_no_data_set(source: ImageSource) -> None:
    with pytest.raises(DatasetNotFound, match="'imagenet'; there are mnist, "):
        source.png("imagenet", 0)


def test_png_reads_a_packaged_data_set(source: ImageSource) -> None:
    assert source.png("digits", 499).startswith(b"\x89PNG")
