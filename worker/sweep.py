"""The removal of files that no record points to: left behind by a crash, or of experiments that were deleted."""

import math
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from uuid import UUID

import structlog

from service.settings import Settings
from service.storage.engine.database import Database
from service.storage.records import experiments

log = structlog.get_logger(__name__)

IDS_PER_QUERY = 1000
YOUNGEST_SECONDS = 3600  # the row of an experiment with a younger folder may not be committed yet


def sweep(database: Database, settings: Settings) -> None:
    """Delete folders of files that are no longer needed.

    Checkpoints are kept while their experiment is active, weights and logs while it exists, and weights no longer than
    ACTLAB_WEIGHTS_DAYS.
    """
    # Listed once, so that no folder is deleted that the queries did not ask about.
    folders_by_root = {root: list(_old(root)) for root in (settings.checkpoints, settings.weights, settings.logs)}
    existing, active = _known(database, {id for folders in folders_by_root.values() for _, id, _ in folders})
    oldest = math.inf if settings.weights_days is None else settings.weights_days * 86_400
    _remove(folder for folder, id, _ in folders_by_root[settings.checkpoints] if id not in active)
    _remove(folder for folder, id, _ in folders_by_root[settings.logs] if id not in existing)
    _remove(folder for folder, id, age in folders_by_root[settings.weights] if id not in existing or age > oldest)


def _known(database: Database, ids: set[UUID]) -> tuple[set[UUID], set[UUID]]:
    """Return those of the ids whose experiments exist, and those that are active.

    The ids go out in several queries, because a statement has a limit of parameters.
    """
    existing: set[UUID] = set()
    active: set[UUID] = set()
    ordered = sorted(ids)
    for start in range(0, len(ordered), IDS_PER_QUERY):
        part = ordered[start : start + IDS_PER_QUERY]
        with database.read() as session:
            present, running = experiments.which_exist(session, part)
        existing |= present
        active |= running
    return existing, active


def _remove(folders: Iterable[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
        log.info("swept", folder=str(folder))


def _old(root: Path) -> Iterator[tuple[Path, UUID, float]]:
    """Yield the folders of experiments that are old enough to delete, each with its id and its age in seconds."""
    for folder in root.iterdir() if root.is_dir() else ():
        age = time.time() - folder.stat().st_mtime
        if _is_id(folder.name) and age > YOUNGEST_SECONDS:
            yield folder, UUID(folder.name), age


def _is_id(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return False
    return True
