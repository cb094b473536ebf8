"""Removes files that nothing points to any more: what a crash left behind, and what belongs to deleted experiments."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import structlog

from service.settings import Settings
from service.storage import experiments
from service.storage.database import Database

log = structlog.get_logger(__name__)

YOUNG_SECONDS = 3600  # a folder this fresh may belong to an experiment that is just being written


def sweep(database: Database, settings: Settings) -> None:
    """Checkpoints stay while an experiment is active; weights and logs while it exists, weights no longer than
    ACTLAB_WEIGHTS_DAYS."""
    folders = [folder for root in (settings.checkpoints, settings.weights, settings.logs) for folder, _ in _old(root)]
    with database.read() as session:
        existing, active = experiments.which_exist(session, {UUID(folder.name) for folder in folders})
    _remove(settings.checkpoints, lambda id, age: id not in active)
    _remove(settings.logs, lambda id, age: id not in existing)
    days = settings.weights_days
    _remove(settings.weights, lambda id, age: id not in existing or (days is not None and age > days * 86_400))


def _remove(root: Path, is_orphan: Callable[[UUID, float], bool]) -> None:
    for folder, age in _old(root):
        if is_orphan(UUID(folder.name), age):
            shutil.rmtree(folder, ignore_errors=True)
            log.info("swept", folder=str(folder))


def _old(root: Path) -> Iterator[tuple[Path, float]]:
    """Folders of experiments and their age in seconds."""
    for folder in root.iterdir() if root.is_dir() else ():
        age = time.time() - folder.stat().st_mtime
        if _is_id(folder.name) and age > YOUNG_SECONDS:
            yield folder, age


def _is_id(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return False
    return True
