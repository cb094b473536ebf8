"""Fetching data sets for the command line, with a bar for each file."""

from pathlib import Path
from typing import get_args

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn

from service.domain.errors import InvalidData
from service.domain.spec import DatasetName
from worker.training.datasets.tensors import Locations, fetch


def fetch_all(names: list[str], home: Path, data_dir: Path | None, console: Console) -> None:
    """Complete the cache of each data set. InvalidData for a name that is none, or when no mirror has it."""
    for name in names:
        if name not in get_args(DatasetName):
            raise InvalidData(f"There is no data set {name!r}; there are {', '.join(get_args(DatasetName))}.")
    for name in get_args(DatasetName):
        if name in names:
            folder = _fetch_one(name, Locations(home, data_dir), console)
            console.print(f"{name}: {folder or 'comes with a Python package, nothing to fetch'}")


def _fetch_one(name: DatasetName, locations: Locations, console: Console) -> Path | None:
    bars: dict[str, TaskID] = {}
    with Progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), console=console) as progress:

        def report(file: str, received: int, total: int | None) -> None:
            if file not in bars:
                bars[file] = progress.add_task(file)
            progress.update(bars[file], completed=received, total=total)

        return fetch(name, locations, report)
