"""Folders in which files of data sets may lie."""

from dataclasses import dataclass, field
from pathlib import Path

from service.domain.datasets import DatasetDefinition, Publication


@dataclass(frozen=True)
class Locations:
    """The folders in which files of data sets are looked for, and the one into which they are downloaded."""

    home: Path  # ActLab's data folder; downloads go to home/data/<dataset>
    data_dir: Path | None = None  # the operator's own copies, <data_dir>/<dataset>
    user_home: Path = field(default_factory=Path.home)
    working_folder: Path = field(default_factory=Path.cwd)

    def cache(self, dataset: str) -> Path:
        """Return the folder for downloaded files of a data set."""
        return self.home / "data" / dataset

    def own(self, dataset: str) -> list[Path]:
        """Return the folders that hold nothing but our files: a damaged one there is an error."""
        copies = [] if self.data_dir is None else [self.data_dir / dataset]
        return [*copies, self.cache(dataset)]

    def foreign(self, publication: Publication) -> list[Path]:
        """Return where torchvision and Keras keep the same files: a damaged one there is passed over."""
        roots = [self.working_folder / "data", self.user_home / "data", self.user_home]
        if self.data_dir is not None:
            roots.insert(0, self.data_dir)
        return [
            *(root / publication.torchvision / "raw" for root in roots),
            self.user_home / ".keras/datasets" / publication.keras,
        ]

    def all(self, definition: DatasetDefinition) -> list[Path]:
        """Return every place in which the files of a data set are looked for, in that order."""
        foreign = [] if definition.publication is None else self.foreign(definition.publication)
        return [*self.own(definition.name), *foreign]
