"""Weights over HTTP: the file that the result names, or the reason why there is none."""

from pathlib import Path
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from service.settings import Settings
from service.storage.engine.database import Database
from service.storage.tables.experiments import Result
from tests.api import states
from tests.api.problems import refused
from tests.api.serving import EXPERIMENTS


@pytest.fixture
def experiment_id(database: Database, settings: Settings) -> UUID:
    """Finish an experiment and write its files as a worker does."""
    id = states.finish(database)
    keep(database, settings, id)
    return id


def keep(database: Database, settings: Settings, id: UUID) -> Path:
    folder = settings.weights / str(id) / "1"
    folder.mkdir(parents=True)
    for which in ("last", "best"):
        (folder / f"{which}.safetensors").write_bytes(which.encode() * 1000)
    with database.write("keep") as session:
        session.get_one(Result, id).weights_path = f"{id}/1"
    return folder


def test_get_weights_sends_both_files_as_attachments(client: TestClient, experiment_id: UUID) -> None:
    path = f"{EXPERIMENTS}/{experiment_id}/weights"
    last, best = client.get(path), client.get(path, params={"which": "best"})
    assert (last.content, best.content) == (b"last" * 1000, b"best" * 1000)
    assert last.headers["content-disposition"] == f'attachment; filename="{experiment_id}-last.safetensors"'
    assert last.headers["content-type"] == "application/octet-stream"
    assert last.headers["etag"] != best.headers["etag"]


@states.on_sqlite
def test_get_weights_answers_304_and_ranges(client: TestClient, experiment_id: UUID) -> None:
    path = f"{EXPERIMENTS}/{experiment_id}/weights"
    etag = client.get(path).headers["etag"]
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 304
    assert client.get(path, params={"which": "best"}, headers={"If-None-Match": etag}).status_code == 200
    part = client.get(path, headers={"Range": "bytes=3998-", "If-Range": etag})
    assert (part.status_code, part.content) == (206, b"st")


@states.on_sqlite
def test_get_weights_names_the_reason_when_there_is_no_file(
    client: TestClient, database: Database, settings: Settings
) -> None:
    def path(id: UUID) -> str:
        return f"{EXPERIMENTS}/{id}/weights"

    refused(client.get(path(states.SOME_ID)), 404, "experiment_not_found")
    unwritten = states.finish(database)
    assert "could not be written" in refused(client.get(path(unwritten)), 404, "weights_not_found")["detail"]
    removed = states.finish(database)
    (keep(database, settings, removed) / "last.safetensors").unlink()
    assert "removed" in refused(client.get(path(removed)), 404, "weights_not_found")["detail"]
    assert client.get(path(removed), params={"which": "best"}).status_code == 200
    failed = states.start(database)
    states.fail(database, failed)
    assert "failed" in refused(client.get(path(failed.id)), 409, "result_not_ready")["detail"]
    running = states.start(database)
    assert "running" in refused(client.get(path(running.id)), 409, "result_not_ready")["detail"]


@pytest.mark.parametrize("which", ["", "middle", "../last", "last.safetensors", "/etc/passwd"])
@states.on_sqlite
def test_get_weights_ignores_paths_of_the_client(client: TestClient, experiment_id: UUID, which: str) -> None:
    refused(client.get(f"{EXPERIMENTS}/{experiment_id}/weights", params={"which": which}), 422, at="which")
