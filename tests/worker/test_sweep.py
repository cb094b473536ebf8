import os
import time
from pathlib import Path
from uuid import UUID

import pytest

from service.settings import Settings
from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.tables.base import new_id
from service.storage.tables.experiments import Experiment
from tests.conftest import make_experiment
from worker import sweep

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def folder(root: Path, id: UUID, hours: float) -> Path:
    made = root / str(id)
    made.mkdir(parents=True)
    (made / "file").write_text("x")
    then = time.time() - hours * 3600
    os.utime(made, (then, then))
    return made


def test_sweep_deletes_only_unreferenced_folders(database: Database, settings: Settings) -> None:
    active, ended, gone = (
        database.run("make", make_experiment).id, database.run("make", make_experiment).id, new_id(),
    )  # fmt: skip
    database.run("cancel", lambda s: transitions.request_cancel(s, Experiment.id == ended))
    remaining = [
        folder(settings.checkpoints, active, 2),
        folder(settings.weights, ended, 2),
        folder(settings.logs, ended, 2),
    ]
    remaining.append(folder(settings.weights, new_id(), 0.5))  # young: its row may be about to be written
    swept = [folder(settings.checkpoints, ended, 2), folder(settings.weights, gone, 2), folder(settings.logs, gone, 2)]
    (settings.weights / "notes").mkdir()
    sweep.sweep(database, settings)
    assert all(path.exists() for path in remaining)
    assert not any(path.exists() for path in swept)
    assert (settings.weights / "notes").exists()


def test_sweep_deletes_weights_older_than_the_setting(database: Database, settings: Settings) -> None:
    id = database.run("make", make_experiment).id
    made = folder(settings.weights, id, 49)
    sweep.sweep(database, settings.model_copy(update={"weights_days": 3.0}))
    assert made.exists()
    sweep.sweep(database, settings.model_copy(update={"weights_days": 2.0}))
    assert not made.exists()


def test_sweep_asks_for_many_folders_in_several_statements(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "IDS_PER_QUERY", 2)
    ids = [database.run("make", make_experiment).id for _ in range(5)]
    remaining = [folder(settings.logs, id, 2) for id in ids]
    sweep.sweep(database, settings)
    assert all(path.exists() for path in remaining)
