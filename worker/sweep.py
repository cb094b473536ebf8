"""Removes files that nothing points to any more: what a crash left behind, and what belongs to deleted experiments."""

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

ASKED_AT_ONCE = 1000
YOUNG_SECONDS = 3600  # a folder this fresh may belong to an experiment that is just being written


def sweep(database: Database, settings: Settings) -> None:
    """Checkpoints stay while an experiment is active; weights and logs while it exists, weights no longer than
    ACTLAB_WEIGHTS_DAYS."""
    # Listed once: what is removed must be what was asked about.
    listed = {root: list(_old(root)) for root in (settings.checkpoints, settings.weights, settings.logs)}
    existing, active = _known(database, {id for folders in listed.values() for _, id, _ in folders})
    oldest = math.inf if settings.weights_days is None else settings.weights_days * 86_400
    _remove(folder for folder, id, _ in listed[settings.checkpoints] if id not in active)
    _remove(folder for folder, id, _ in listed[settings.logs] if id not in existing)
    _remove(folder for folder, id, age in listed[settings.weights] if id not in existing or age > oldest)


def _known(database: Database, ids: set[UUID]) -> tuple[set[UUID], set[UUID]]:
    """Of these, the experiments that exist, and those that are active; asked in parts, as statements have a limit."""
    existing: set[UUID] = set()
    active: set[UUID] = set()
    ordered = sorted(ids)
    for start in range(0, len(ordered), ASKED_AT_ONCE):
        part = ordered[start : start + ASKED_AT_ONCE]
        with database.read() as session:
            found, running = experiments.which_exist(session, part)
        existing |= found
        active |= running
    return existing, active


def _remove(folders: Iterable[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
        log.info("swept", folder=str(folder))


def _old(root: Path) -> Iterator[tuple[Path, UUID, float]]:
    """Folders of experiments, with the id and the age in seconds."""
    for folder in root.iterdir() if root.is_dir() else ():
        age = time.time() - folder.stat().st_mtime
        if _is_id(folder.name) and age > YOUNG_SECONDS:
            yield folder, UUID(folder.name), age


def _is_id(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return False
    return True
