"""Every data set: its name, the shape of its images, its classes and sizes, and where its files are published.

Nothing is loaded here: `service.datasets` reads published files, `worker.training.datasets` those of Python packages.
Only the standard library is imported: the command lists data sets without the server's libraries.
"""

from dataclasses import dataclass
from math import prod

Shape = tuple[int, int, int]
"""Channels, height and width of an image, in pixels."""


@dataclass(frozen=True)
class PublishedFile:
    """A file of a data set: the name under which it is published, and the MD5 of its content before gzip packed it."""

    name: str
    content_md5: str


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


def _idx_files(
    training_images: str, training_labels: str, test_images: str, test_labels: str
) -> tuple[PublishedFile, PublishedFile, PublishedFile, PublishedFile]:
    """Return the four files with these checksums, under the names that MNIST and the data sets in its format have."""
    return (
        PublishedFile("train-images-idx3-ubyte.gz", training_images),
        PublishedFile("train-labels-idx1-ubyte.gz", training_labels),
        PublishedFile("t10k-images-idx3-ubyte.gz", test_images),
        PublishedFile("t10k-labels-idx1-ubyte.gz", test_labels),
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
                "6bbc9ace898e44ae57da46a324031adb",
                "a25bea736e30d166cdddb491f175f624",
                "2646ac647ad5339dbf082846283269ea",
                "27ae3e4e09519cfbb04c329615203637",
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
                # Packed by `gzip -6` with the times of 2017, these contents have the MD5s that their authors publish.
                "f4a8712d7a061bf5bd6d2ca38dc4d50a",
                "9018921c3c673c538a1fc5bad174d6f9",
                "8181f5470baa50b63fa0f6fddb340f0a",
                "15d484375f8d13e6eb1aabb0c3f46965",
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
