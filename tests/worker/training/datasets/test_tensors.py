import gzip
import hashlib
import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from service.datasets.download import download
from service.datasets.idx import IdxFile, Source, decode, encode
from service.domain.errors import InvalidData
from service.domain.spec import DatasetName
from worker.training.datasets.tensors import Datasets, Locations, fetch, load, load_published

NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
TRAIN_IMAGES = f"{NAMES[0]}.gz"


def arrays() -> list[NDArray[np.uint8]]:
    random = np.random.RandomState(0)
    shapes = ((20, 28, 28), (20,), (10, 28, 28), (10,))
    return [random.randint(0, 10, shape).astype(np.uint8) for shape in shapes]


UNPACKED = {name: encode(array) for name, array in zip(NAMES, arrays(), strict=True)}
PACKED = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in UNPACKED.items()}


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def make_source(*mirrors: str) -> Source:
    """A published data set of 20 + 10 images."""
    files = [IdxFile(f"{name}.gz", md5(PACKED[f"{name}.gz"]), md5(UNPACKED[name])) for name in NAMES]
    return Source("mnist", (files[0], files[1], files[2], files[3]), mirrors, torchvision="MNIST", keras="mnist.npz")


def put(folder: Path, contents: dict[str, bytes] = PACKED) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)


@pytest.fixture
def locations(tmp_path: Path) -> Locations:
    return Locations(
        home=tmp_path / "home",
        data_dir=tmp_path / "given",
        user_home=tmp_path / "user",
        working_folder=tmp_path / "working",
    )


class Mirror:
    """An HTTP server on the loopback. `answers`: per path (status, content), one after the other, the last for ever."""

    def __init__(self) -> None:
        self.answers: dict[str, list[tuple[int, bytes]]] = {}
        self.requested: list[str] = []
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                mirror.requested.append(self.path)
                waiting = mirror.answers.get(self.path, [(404, b"")])
                status, content = waiting.pop(0) if len(waiting) > 1 else waiting[0]
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def serve(self, folder: str, contents: dict[str, bytes] = PACKED) -> str:
        """The mirror's URL of a folder with these files."""
        self.answers |= {f"/{folder}/{name}": [(200, content)] for name, content in contents.items()}
        return f"{self.url}{folder}/"


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    made = Mirror()
    thread = Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def assert_read(source: Source, locations: Locations) -> None:
    dataset = load_published(source, locations, first_wait=0)
    for tensor, array in zip(
        (dataset.train_images[:, 0], dataset.train_labels, dataset.test_images[:, 0], dataset.test_labels),
        arrays(),
        strict=True,
    ):
        assert np.array_equal(tensor.numpy(), array)


def test_idx_is_read_as_it_was_written() -> None:
    for array in arrays():
        assert np.array_equal(decode(encode(array)), array)


@pytest.mark.parametrize("place", ["given/mnist", "home/data/mnist"])
def test_files_are_found_in_our_folders(place: str, locations: Locations, tmp_path: Path) -> None:
    put(tmp_path / place)
    assert_read(make_source(), locations)


def test_files_may_be_unpacked(locations: Locations) -> None:
    put(locations.cache("mnist"), UNPACKED)
    assert_read(make_source(), locations)


@pytest.mark.parametrize("place", ["working/data", "user/data", "given"])
def test_torchvisions_files_are_found(place: str, locations: Locations, tmp_path: Path) -> None:
    put(tmp_path / place / "MNIST/raw", UNPACKED)
    assert_read(make_source(), locations)


def keras(locations: Locations, contents: list[NDArray[np.uint8]]) -> Path:
    archive = locations.user_home / ".keras/datasets/mnist.npz"
    archive.parent.mkdir(parents=True)
    x_train, y_train, x_test, y_test = contents
    np.savez(archive, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return archive


def test_kerass_archive_is_found(locations: Locations) -> None:
    keras(locations, arrays())
    assert_read(make_source(), locations)


def test_a_damaged_archive_of_keras_is_passed_over(locations: Locations, mirror: Mirror) -> None:
    archive = keras(locations, arrays())
    archive.write_bytes(archive.read_bytes()[:3000])
    assert_read(make_source(mirror.serve("good")), locations)


def test_other_values_in_kerass_archive_are_passed_over(locations: Locations, mirror: Mirror) -> None:
    keras(locations, [255 - array for array in arrays()])
    assert_read(make_source(mirror.serve("good")), locations)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (PACKED[TRAIN_IMAGES][:500], "it is truncated"),
        (b"<!DOCTYPE html>", "it is not a gzip file, it begins with b'<!DOCTYP'"),
        (b"", "it is not a gzip file"),
        (PACKED[TRAIN_IMAGES][:-8] + bytes(8), "it is corrupt"),
        (gzip.compress(b"\0\0\x0d\3" + bytes(12), mtime=0), "the magic number is 00000d03"),
        (gzip.compress(UNPACKED[NAMES[0]][:-1], mtime=0), "it holds 15,679 values where its header promises 15,680"),
        (gzip.compress(b"\0\0\x08\3\0", mtime=0), "it ends inside its header"),
        (PACKED["t10k-images-idx3-ubyte.gz"], "it holds other values"),
    ],
)
def test_a_wrong_file_is_named_with_what_was_found(content: bytes, found: str, locations: Locations) -> None:
    folder = Path(locations.own("mnist")[0])
    put(folder, PACKED | {TRAIN_IMAGES: content})
    with pytest.raises(InvalidData) as caught:
        load_published(make_source(), locations)
    assert str(folder / TRAIN_IMAGES) in caught.value.detail
    assert found in caught.value.detail
    assert f"{len(content):,} bytes" in caught.value.detail
    assert "`actlab data fetch`" in caught.value.detail


def test_missing_files_are_downloaded_once(locations: Locations, mirror: Mirror) -> None:
    source = make_source(mirror.serve("good"))
    assert_read(source, locations)
    assert_read(source, locations)
    assert mirror.requested == [f"/good/{name}" for name in PACKED]


def test_only_what_is_missing_or_damaged_is_fetched(locations: Locations, mirror: Mirror) -> None:
    put(locations.cache("mnist"), PACKED | {TRAIN_IMAGES: b"damaged"})
    source = make_source(mirror.serve("good"))
    download(source, locations.cache("mnist"), lambda *_: None)
    assert mirror.requested == [f"/good/{TRAIN_IMAGES}"]
    assert_read(source, locations)


def test_a_mirror_with_wrong_bytes_gives_way_to_the_next(locations: Locations, mirror: Mirror) -> None:
    wrong = mirror.serve("wrong", {name: content[::-1] for name, content in PACKED.items()})
    assert_read(make_source(wrong, mirror.serve("good")), locations)


def test_a_mirror_that_stumbles_is_asked_again(locations: Locations, mirror: Mirror) -> None:
    url = mirror.serve("good")
    mirror.answers[f"/good/{TRAIN_IMAGES}"].insert(0, (503, b"busy"))
    assert_read(make_source(url), locations)
    assert mirror.requested[:2] == [f"/good/{TRAIN_IMAGES}"] * 2


def test_a_file_that_is_not_there_is_not_asked_for_again(locations: Locations, mirror: Mirror) -> None:
    assert_read(make_source(f"{mirror.url}nothing/", mirror.serve("good")), locations)
    assert mirror.requested.count(f"/nothing/{TRAIN_IMAGES}") == 1


def test_when_all_mirrors_fail_the_error_names_folders_and_mirrors(locations: Locations, mirror: Mirror) -> None:
    closed = "http://127.0.0.1:1/"
    missing, wrong = f"{mirror.url}missing/", mirror.serve("wrong", dict.fromkeys(PACKED, b"wrong"))
    with pytest.raises(InvalidData) as caught:
        load_published(make_source(closed, missing, wrong), locations, first_wait=0)
    places = [*locations.own("mnist"), *locations.foreign(make_source())]
    for named in (closed, missing, wrong, TRAIN_IMAGES, "`actlab data fetch`", *map(str, places)):
        assert named in caught.value.detail
    assert list(locations.cache("mnist").iterdir()) == []


def test_a_download_reports_its_progress(locations: Locations, mirror: Mirror) -> None:
    reported: list[tuple[str, int, int | None]] = []
    load_published(make_source(mirror.serve("good")), locations, lambda *given: reported.append(given))
    for name, content in PACKED.items():
        assert (name, len(content), len(content)) in reported


def test_a_full_disk_is_named_and_nothing_is_left_behind(
    locations: Locations, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(prefix: str, dir: Path) -> tuple[int, str]:
        (dir / prefix).touch()
        return os.open("/dev/full", os.O_WRONLY), str(dir / prefix)

    monkeypatch.setattr("service.datasets.download.tempfile.mkstemp", full)
    with pytest.raises(InvalidData, match=r"No space left on device.*make room") as caught:
        load_published(make_source(mirror.serve("good")), locations)
    assert str(locations.cache("mnist")) in caught.value.detail
    assert list(locations.cache("mnist").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(locations: Locations, mirror: Mirror) -> None:
    locations.home.write_text("a file where the folder should be")
    with pytest.raises(InvalidData, match="cannot be written"):
        load_published(make_source(mirror.serve("good")), locations)


def test_a_data_set_is_loaded_once(locations: Locations, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = Datasets(locations)
    assert datasets.get("digits") is datasets.get("digits")


PACKAGED: dict[DatasetName, tuple[int, int, str]] = {
    "mnist_5k": (4000, 1000, "b6a673d65e420af4aee3d6eabda64dbb"),
    "digits": (1297, 500, "f9a83048249fc987957a94990ba3bb0b"),
}


@pytest.mark.parametrize("name", PACKAGED)
def test_packaged_data_sets_are_the_same_for_ever(name: DatasetName, locations: Locations) -> None:
    """Stored results of other versions were made with these very images, in this order."""
    train, test, digest = PACKAGED[name]
    dataset = load(name, locations)
    assert dataset.train_images.shape == (train, 1, 28, 28)
    assert dataset.test_images.shape == (test, 1, 28, 28)
    assert dataset.train_images.dtype == torch.uint8
    parts = (dataset.train_images, dataset.train_labels, dataset.test_images, dataset.test_labels)
    assert md5(b"".join(part.numpy().tobytes() for part in parts)) == digest
    assert fetch(name, locations) is None


def test_mnist_5k_is_stratified(locations: Locations) -> None:
    dataset = load("mnist_5k", locations)
    assert dataset.train_labels.bincount().tolist() == [400] * 10
    assert dataset.test_labels.bincount().tolist() == [100] * 10


def test_digits_keep_their_range_when_enlarged(locations: Locations) -> None:
    dataset = load("digits", locations)
    assert (int(dataset.train_images.min()), int(dataset.train_images.max())) == (0, 255)


@pytest.mark.mnist
def test_the_real_mnist_is_read(mnist: Any) -> None:
    assert mnist.train_images.shape == (60_000, 1, 28, 28)
    assert mnist.train_labels.bincount().tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert mnist.test_labels.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
