"""Folders in which files of data sets may lie."""

import os
import re
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
        """Return where torchvision and Keras keep the same files: a damaged one there is passed over.

        The operator's copies may lie as theirs do, and directly in the operator's folder, where the files of two data
        sets have the same names and their content tells which one they are of.
        """
        torchvision, keras = Path(publication.torchvision, "raw"), publication.keras
        copies = [] if self.data_dir is None else [self.data_dir / torchvision, self.data_dir / keras, self.data_dir]
        copies += [folder / part for folder in self._of_the_name(publication.torchvision) for part in ("", "raw")]
        roots = [self.working_folder / "data", self.user_home / "data", self.user_home]
        return [*copies, *(root / torchvision for root in roots), self.user_home / ".keras/datasets" / keras]

    def _of_the_name(self, torchvision: str) -> list[Path]:
        """Return the operator's folders whose names differ in case and separators alone: MNIST, Fashion-MNIST."""
        if self.data_dir is None or not os.access(self.data_dir, os.R_OK) or not self.data_dir.is_dir():
            return []
        folders = sorted(self.data_dir.iterdir())
        return [folder for folder in folders if re.sub("[-_ ]", "", folder.name).lower() == torchvision.lower()]

    def all(self, definition: DatasetDefinition) -> list[Path]:
        """Return every place in which the files of a data set are looked for, in that order."""
        foreign = [] if definition.publication is None else self.foreign(definition.publication)
        return [*self.own(definition.name), *foreign]
