"""Every data set: its name, the shape of its images, its classes and sizes, and where its files are published.

Nothing is loaded here: `service.datasets` reads published files, `worker.training.datasets` those of Python packages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticKnownError

Shape = tuple[int, int, int]
"""Channels, height and width of an image, in pixels."""


@dataclass(frozen=True)
class PublishedFile:
    """A gzip file of a data set. `content_md5` is the checksum of the unpacked file, where it is known."""

    name: str
    md5: str
    content_md5: str | None = None

    @property
    def unpacked_name(self) -> str:
        return self.name.removesuffix(".gz")


@dataclass(frozen=True)
class Publication:
    """Four files in the IDX format, and the places that have them.

    `files` are the training images and labels, then the test images and labels.
    """

    files: tuple[PublishedFile, PublishedFile, PublishedFile, PublishedFile]
    mirrors: tuple[str, ...]  # URLs to which a file's name is appended
    largest_file: int  # bytes; a download that exceeds it is broken off
    torchvision: str  # the folder's name under torchvision's root
    keras: str  # the file or folder under ~/.keras/datasets


@dataclass(frozen=True)
class DatasetDefinition:
    """A data set. `publication` is None for one that comes with a Python package."""

    name: str
    shape: Shape
    classes: int
    training_images: int
    test_images: int
    publication: Publication | None = None

    @property
    def pixels(self) -> int:
        """The values of one image, over all channels."""
        return prod(self.shape)

    def validation_images(self, fraction: float) -> int:
        """Return how many training images a share of them is; a split sets aside at least one of each class."""
        return int(self.training_images * fraction)


MIB = 2**20

Checksums = tuple[str, str | None]
"""The MD5 of a gzip file and of its content, where that is known."""


def _idx_files(
    training_images: Checksums, training_labels: Checksums, test_images: Checksums, test_labels: Checksums
) -> tuple[PublishedFile, PublishedFile, PublishedFile, PublishedFile]:
    """Return the four files under the names that MNIST and the data sets in its format have."""
    return (
        PublishedFile("train-images-idx3-ubyte.gz", *training_images),
        PublishedFile("train-labels-idx1-ubyte.gz", *training_labels),
        PublishedFile("t10k-images-idx3-ubyte.gz", *test_images),
        PublishedFile("t10k-labels-idx1-ubyte.gz", *test_labels),
    )


_DEFINITIONS = (
    DatasetDefinition(
        name="mnist",
        shape=(1, 28, 28),
        classes=10,
        training_images=60_000,
        test_images=10_000,
        publication=Publication(
            files=_idx_files(
                ("f68b3c2dcbeaaa9fbdd348bbdeb94873", "6bbc9ace898e44ae57da46a324031adb"),
                ("d53e105ee54ea40749a09fcbcd1e9432", "a25bea736e30d166cdddb491f175f624"),
                ("9fb629c4189551a2d022fa330f9573f3", "2646ac647ad5339dbf082846283269ea"),
                ("ec29112dd5afa0611ce80d1b7f02629c", "27ae3e4e09519cfbb04c329615203637"),
            ),
            mirrors=(
                "https://ossci-datasets.s3.amazonaws.com/mnist/",
                "https://storage.googleapis.com/cvdf-datasets/mnist/",
            ),
            largest_file=16 * MIB,  # the training images have 9.5 MiB
            torchvision="MNIST",
            keras="mnist.npz",
        ),
    ),
    DatasetDefinition(name="mnist_5k", shape=(1, 28, 28), classes=10, training_images=4_000, test_images=1_000),
    DatasetDefinition(
        name="fashion_mnist",
        shape=(1, 28, 28),
        classes=10,
        training_images=60_000,
        test_images=10_000,
        publication=Publication(
            files=_idx_files(
                ("8d4fb7e6c68d591d4c3dfef9ec88bf0d", None),
                ("25c81989df183df01b3e8a0aad5dffbe", None),
                ("bef4ecab320f06d8554ea6380940ec79", None),
                ("bb300cfdad3c16e7a12a480ee83cd310", None),
            ),
            mirrors=(
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
                "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            ),
            largest_file=64 * MIB,  # the training images have 25.2 MiB
            torchvision="FashionMNIST",
            keras="fashion-mnist",
        ),
    ),
    DatasetDefinition(name="digits", shape=(1, 28, 28), classes=10, training_images=1_297, test_images=500),
)

DATASETS: dict[str, DatasetDefinition] = {definition.name: definition for definition in _DEFINITIONS}
"""Every data set by its name."""

MOST_CLASSES = max(definition.classes for definition in _DEFINITIONS)


def published() -> list[str]:
    """Return the names of the data sets that have files to download."""
    return [name for name, definition in DATASETS.items() if definition.publication is not None]


def listed(names: Sequence[str]) -> str:
    """Join names as pydantic writes a choice: `'mnist', 'mnist_5k' or 'digits'`."""
    *first, last = (repr(name) for name in names)
    return f"{', '.join(first)} or {last}" if first else last


def _known_name(value: Any) -> str:
    if not isinstance(value, str) or value not in DATASETS:
        raise PydanticKnownError("literal_error", {"expected": listed(list(DATASETS))})
    return value


DatasetName = Annotated[
    str,
    PlainValidator(_known_name),
    WithJsonSchema({"type": "string", "enum": [dataset.name for dataset in _DEFINITIONS]}),
]
"""The name of one of DATASETS. It is checked when a value is validated, so that a test can add a data set."""
