import gzip
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from service.datasets.download import DownloadUnavailable
from service.datasets.loading import fetch, load
from service.datasets.locations import Locations
from service.datasets.reading import read
from service.domain.datasets import DATASETS, DatasetDefinition
from service.domain.errors import InvalidData
from tests.datasets.publishing import (
    NAMES,
    PACKED,
    TRAIN_IMAGES,
    UNPACKED,
    Mirror,
    arrays,
    make_definition,
    serving,
)


def write_files(folder: Path, contents: dict[str, bytes] = PACKED) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)


@pytest.fixture
def locations(tmp_path: Path) -> Locations:
    return Locations(
        home=tmp_path / "home",
        data_dir=tmp_path / "copies",
        user_home=tmp_path / "user",
        working_folder=tmp_path / "working",
    )


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    with serving() as mirror:
        yield mirror


def assert_read(definition: DatasetDefinition, locations: Locations) -> None:
    dataset = load(definition, locations, first_wait=0)
    for loaded, array in zip(
        (dataset.train_images[:, 0], dataset.train_labels, dataset.test_images[:, 0], dataset.test_labels),
        arrays(),
        strict=True,
    ):
        assert np.array_equal(loaded, array)


@pytest.mark.parametrize("place", ["copies/mnist", "home/data/mnist"])
def test_load_finds_files_in_our_folders(place: str, locations: Locations, tmp_path: Path) -> None:
    write_files(tmp_path / place)
    assert_read(make_definition(), locations)


def dotted(name: str) -> str:
    return name.replace("-idx", ".idx")


FORMS: dict[str, dict[str, bytes]] = {
    "packed anew": {f"{name}.gz": gzip.compress(content, 1, mtime=1) for name, content in UNPACKED.items()},
    "packed in two members": {
        f"{name}.gz": gzip.compress(content[:7]) + gzip.compress(content[7:]) for name, content in UNPACKED.items()
    },
    "unpacked": UNPACKED,
    "unpacked, with a dot": {dotted(name): content for name, content in UNPACKED.items()},
    "packed, with a dot": {dotted(name): content for name, content in PACKED.items()},
    "unpacked, in capitals": {name.upper(): content for name, content in UNPACKED.items()},
    "unpacked by a browser that kept the name": {f"{name}.gz": content for name, content in UNPACKED.items()},
    "packed under the name of an unpacked file": {name: PACKED[f"{name}.gz"] for name in NAMES},
    "in folders of their own names": {f"{name}/{name}": content for name, content in UNPACKED.items()},
    "in different forms": {
        NAMES[0]: UNPACKED[NAMES[0]],
        dotted(NAMES[1]): UNPACKED[NAMES[1]],
        **{f"{name}.gz": PACKED[f"{name}.gz"] for name in NAMES[2:]},
    },
    "downloaded twice by a browser": {name.replace(".gz", " (1).gz"): content for name, content in PACKED.items()},
    "with a damaged copy beside": UNPACKED | {TRAIN_IMAGES: PACKED[TRAIN_IMAGES][:500]},
}


@pytest.mark.parametrize("contents", FORMS.values(), ids=FORMS)
def test_load_takes_each_form_of_the_published_content(contents: dict[str, bytes], locations: Locations) -> None:
    write_files(locations.cache("mnist"), contents)
    assert_read(make_definition(), locations)


def test_load_tells_data_sets_of_equal_names_by_their_content(locations: Locations, tmp_path: Path) -> None:
    """Two data sets in one format have files of the same names."""
    write_files(tmp_path / "copies", {name: content[::-1] for name, content in PACKED.items()})
    assert read(make_definition(), locations) is None
    write_files(tmp_path / "copies")
    assert_read(make_definition(), locations)


@pytest.mark.parametrize("place", ["working/data", "user/data", "copies"])
def test_load_finds_files_of_torchvision(place: str, locations: Locations, tmp_path: Path) -> None:
    write_files(tmp_path / place / "MNIST/raw", UNPACKED)
    assert_read(make_definition(), locations)


@pytest.mark.parametrize("place", ["MNIST", "Mnist/raw", "mnist/raw"])
def test_load_finds_folders_of_other_spellings(place: str, locations: Locations, tmp_path: Path) -> None:
    write_files(tmp_path / "copies" / place)
    assert_read(make_definition(), locations)


def write_keras(locations: Locations, contents: list[NDArray[np.uint8]]) -> Path:
    archive = locations.user_home / ".keras/datasets/mnist.npz"
    archive.parent.mkdir(parents=True)
    x_train, y_train, x_test, y_test = contents
    np.savez(archive, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return archive


def test_load_finds_the_archive_of_keras(locations: Locations) -> None:
    write_keras(locations, arrays())
    assert_read(make_definition(), locations)


def test_load_passes_over_a_damaged_archive_of_keras(locations: Locations, mirror: Mirror) -> None:
    archive = write_keras(locations, arrays())
    archive.write_bytes(archive.read_bytes()[:3000])
    assert_read(make_definition(mirror.serve("good")), locations)


def test_load_passes_over_other_values_in_the_archive_of_keras(locations: Locations, mirror: Mirror) -> None:
    write_keras(locations, [255 - array for array in arrays()])
    assert_read(make_definition(mirror.serve("good")), locations)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (PACKED[TRAIN_IMAGES][:500], "it is truncated"),
        (b"<!DOCTYPE html>", "it is no IDX file, packed or not: it begins with b'<!DOCTYP'"),
        (b"", "it is empty"),
        (PACKED[TRAIN_IMAGES][:-8] + bytes(8), "it is corrupt"),
        (gzip.compress(b"\0\0\x0d\3" + bytes(12), mtime=0), "the magic number is 00000d03"),
        (gzip.compress(UNPACKED[NAMES[0]][:-1], mtime=0), "it holds 15,679 values where its header promises 15,680"),
        (gzip.compress(b"\0\0\x08\3\0", mtime=0), "it ends inside its header"),
        (PACKED["t10k-images-idx3-ubyte.gz"], "it holds other values"),
        (UNPACKED["t10k-images-idx3-ubyte"], "it holds other values"),
    ],
)
def test_load_names_a_wrong_file_and_its_fault(content: bytes, fault: str, locations: Locations) -> None:
    folder = Path(locations.own("mnist")[0])
    write_files(folder, PACKED | {TRAIN_IMAGES: content})
    with pytest.raises(InvalidData) as caught:
        load(make_definition(), locations)
    assert str(folder / TRAIN_IMAGES) in caught.value.detail
    assert fault in caught.value.detail
    assert f"{len(content):,} bytes" in caught.value.detail
    assert "`actlab data fetch`" in caught.value.detail


def test_load_downloads_missing_files_once(locations: Locations, mirror: Mirror) -> None:
    definition = make_definition(mirror.serve("good"))
    assert_read(definition, locations)
    assert_read(definition, locations)
    assert mirror.requested == [f"/good/{name}" for name in PACKED]


def test_fetch_downloads_only_missing_and_damaged_files(locations: Locations, mirror: Mirror) -> None:
    write_files(locations.cache("mnist"), PACKED | {TRAIN_IMAGES: b"damaged"})
    definition = make_definition(mirror.serve("good"))
    fetch(definition, locations)
    assert mirror.requested == [f"/good/{TRAIN_IMAGES}"]
    assert_read(definition, locations)


def test_load_turns_to_the_next_mirror_after_wrong_bytes(locations: Locations, mirror: Mirror) -> None:
    wrong = mirror.serve("wrong", {name: content[::-1] for name, content in PACKED.items()})
    assert_read(make_definition(wrong, mirror.serve("good")), locations)


def test_load_repeats_a_request_after_a_server_error(locations: Locations, mirror: Mirror) -> None:
    url = mirror.serve("good")
    mirror.answers[f"/good/{TRAIN_IMAGES}"].insert(0, (503, b"busy"))
    assert_read(make_definition(url), locations)
    assert mirror.requested[:2] == [f"/good/{TRAIN_IMAGES}"] * 2


def test_load_requests_a_file_once_after_404(locations: Locations, mirror: Mirror) -> None:
    assert_read(make_definition(f"{mirror.url}nothing/", mirror.serve("good")), locations)
    assert mirror.requested.count(f"/nothing/{TRAIN_IMAGES}") == 1


def test_load_names_folders_and_mirrors_where_all_fail(locations: Locations, mirror: Mirror) -> None:
    closed = "http://127.0.0.1:1/"
    missing, wrong = f"{mirror.url}missing/", mirror.serve("wrong", dict.fromkeys(PACKED, b"wrong"))
    with pytest.raises(InvalidData) as caught:
        load(make_definition(closed, missing, wrong), locations, first_wait=0)
    places = locations.all(make_definition())
    for name in (closed, missing, wrong, TRAIN_IMAGES, "`actlab data fetch`", *map(str, places)):
        assert name in caught.value.detail
    assert list(locations.cache("mnist").iterdir()) == []


@pytest.mark.parametrize("missing", NAMES)
def test_load_names_the_missing_file_where_three_of_four_are_there(missing: str, locations: Locations) -> None:
    three = {dotted(name): content for name, content in UNPACKED.items() if name != missing}
    write_files(locations.own("mnist")[0], three)
    with pytest.raises(DownloadUnavailable) as caught:
        load(make_definition("http://127.0.0.1:1/"), locations, first_wait=0)
    assert f"{locations.own('mnist')[0]} lacks {missing}.gz." in caught.value.detail
    assert f"Missing here: {missing}.gz." in caught.value.reason  # which an experiment gives while it waits


def test_load_takes_the_published_content_from_a_mirror_that_packed_it_anew(
    locations: Locations, mirror: Mirror
) -> None:
    assert_read(make_definition(mirror.serve("anew", FORMS["packed anew"])), locations)


def test_fetch_leaves_a_copy_of_another_form_alone(locations: Locations, mirror: Mirror) -> None:
    write_files(locations.cache("mnist"), FORMS["unpacked, with a dot"])
    fetch(make_definition(mirror.serve("good")), locations)
    assert mirror.requested == []


def test_load_breaks_off_a_file_that_unpacks_to_too_much(locations: Locations, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.datasets.published.LARGEST_CONTENT", 10**6)
    write_files(locations.cache("mnist"), PACKED | {TRAIN_IMAGES: gzip.compress(bytes(10**6 + 1))})
    with pytest.raises(InvalidData, match="it unpacks to more than 1,000,000 bytes"):
        load(make_definition(), locations)


def test_load_reports_the_progress_of_a_download(locations: Locations, mirror: Mirror) -> None:
    reported: list[tuple[str, int, int | None]] = []
    load(make_definition(mirror.serve("good")), locations, lambda *progress: reported.append(progress))
    for name, content in PACKED.items():
        assert (name, len(content), len(content)) in reported


def test_load_names_a_full_disk_and_leaves_nothing_behind(
    locations: Locations, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(prefix: str, dir: Path) -> tuple[int, str]:
        (dir / prefix).touch()
        return os.open("/dev/full", os.O_WRONLY), str(dir / prefix)

    monkeypatch.setattr("service.datasets.download.tempfile.mkstemp", full)
    with pytest.raises(InvalidData, match=r"No space left on device.*make room") as caught:
        load(make_definition(mirror.serve("good")), locations)
    assert str(locations.cache("mnist")) in caught.value.detail
    assert list(locations.cache("mnist").iterdir()) == []


def test_load_names_a_folder_that_cannot_be_made(locations: Locations, mirror: Mirror) -> None:
    locations.home.write_text("a file where the folder should be")
    with pytest.raises(InvalidData, match="cannot be written"):
        load(make_definition(mirror.serve("good")), locations)


def test_load_breaks_off_a_download_at_the_limit_of_the_data_set(locations: Locations, mirror: Mirror) -> None:
    limit = len(PACKED[TRAIN_IMAGES]) - 1
    with pytest.raises(InvalidData, match=f"sent more than {limit:,} bytes"):
        load(make_definition(mirror.serve("good"), largest_file=limit), locations)
    assert_read(make_definition(mirror.serve("good"), largest_file=limit + 1), locations)


def test_load_refuses_arrays_that_are_not_the_data_sets(locations: Locations) -> None:
    write_files(locations.cache("mnist"))
    with pytest.raises(InvalidData, match=r"images have shape \(20, 28, 28\), expected \(21, 1, 28, 28\)"):
        load(replace(make_definition(), training_images=21), locations)
    with pytest.raises(InvalidData, match=r"values up to 9, expected .* values below 9"):
        load(replace(make_definition(), classes=9), locations)


def test_read_returns_none_where_no_place_has_the_files(locations: Locations) -> None:
    assert read(make_definition(), locations) is None


def test_fetch_does_nothing_for_a_packaged_data_set(locations: Locations) -> None:
    assert fetch(DATASETS["digits"], locations) is None
