"""Load a published data set, downloading its files where no folder has them."""

from pathlib import Path

from service.datasets.arrays import DatasetArrays
from service.datasets.download import FIRST_WAIT, DownloadFailed, DownloadUnavailable, ReportProgress, download
from service.datasets.locations import Locations
from service.datasets.reading import missing_files, read
from service.domain.datasets import DatasetDefinition
from service.domain.errors import InvalidData


def load(
    definition: DatasetDefinition,
    locations: Locations,
    report: ReportProgress = lambda *_: None,
    first_wait: float = FIRST_WAIT,
) -> DatasetArrays:
    """Read a data set, after a download into the cache where no folder has its files.

    `report` follows a download; `first_wait` (seconds) paces the attempts at each mirror. Raises InvalidData where no
    mirror has the data set either, or a file in a folder of ours is damaged, and DownloadUnavailable, which is one,
    where a mirror may send it later.
    """
    arrays = read(definition, locations)
    if arrays is not None:
        return arrays
    try:
        fetch(definition, locations, report, first_wait)
    except DownloadUnavailable as problem:
        lacking = sorted({name for names in missing_files(definition, locations).values() for name in names})
        reason = f"Missing here: {', '.join(lacking)}. {problem.reason}" if lacking else problem.reason
        raise DownloadUnavailable(_nowhere(definition, locations, problem), reason) from problem
    except DownloadFailed as problem:
        raise InvalidData(_nowhere(definition, locations, problem)) from problem
    arrays = read(definition, locations)
    if arrays is None:
        raise InvalidData(f"Files of {definition.name} vanished from {locations.cache(definition.name)} after the"
                          " download.")  # fmt: skip
    return arrays


def fetch(
    definition: DatasetDefinition,
    locations: Locations,
    report: ReportProgress = lambda *_: None,
    first_wait: float = FIRST_WAIT,
) -> Path | None:
    """Complete the cache of a data set and return its folder; None for one that comes with a Python package.

    Raises DownloadFailed where no mirror has a file, InvalidData where the folder cannot be written.
    """
    if definition.publication is None:
        return None
    folder = locations.cache(definition.name)
    download(definition.publication, folder, report, first_wait)
    return folder


def _nowhere(definition: DatasetDefinition, locations: Locations, problem: DownloadFailed) -> str:
    places = locations.all(definition)
    lacking = [f" {folder} lacks {', '.join(names)}." for folder, names in missing_files(definition, locations).items()]
    return (
        f"The files of {definition.name} are in none of {', '.join(map(str, places))}, and could not be downloaded."
        f"{''.join(lacking)} {problem.detail} Run `actlab data fetch` where there is a network, or copy them to"
        f" {places[0]}."
    )
