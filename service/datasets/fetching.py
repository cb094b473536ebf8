"""Fetch data sets for the command line, with a bar for each file."""

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn

from service.datasets.loading import fetch
from service.datasets.locations import Locations
from service.domain.datasets import DATASETS, DatasetDefinition
from service.domain.errors import InvalidData


def fetch_all(names: list[str], home: Path, data_dir: Path | None, console: Console) -> dict[str, Path | None]:
    """Complete the cache of each named data set; return its folder, None where it comes with a Python package.

    Raises InvalidData for a name that is no data set's, and where no mirror has a file.
    """
    for name in names:
        if name not in DATASETS:
            raise InvalidData(f"There is no data set {name!r}; there are {', '.join(DATASETS)}.")
    chosen = [(name, definition) for name, definition in DATASETS.items() if name in names]
    return {name: _fetch_one(definition, Locations(home, data_dir), console) for name, definition in chosen}


def _fetch_one(definition: DatasetDefinition, locations: Locations, console: Console) -> Path | None:
    bars: dict[str, TaskID] = {}
    with Progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), console=console) as progress:

        def report(file: str, received: int, total: int | None) -> None:
            if file not in bars:
                bars[file] = progress.add_task(file)
            progress.update(bars[file], completed=received, total=total)

        return fetch(definition, locations, report)
