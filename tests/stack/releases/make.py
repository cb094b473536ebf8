"""Make the fixture of a release: its data on both stacks, and its API's answers about them.

Run it with the code of that release, on a machine with PostgreSQL and Redis:

    PYTHONPATH=<checkout of the release> python tests/stack/releases/make.py tests/stack/releases/<version>

It writes, for SQLite (`embedded`) and PostgreSQL (`production`):

* `<stack>.tar.gz`: the `.actlab` folder of a service that was stopped in the middle of an experiment;
* `production.sql.gz`: the PostgreSQL database, as INSERT statements that servers of other versions read too;
* `<stack>.json.gz`: every GET route with a status and a body, as the release answers them after a new start;
  and the experiments `interrupted` and `uninterrupted`, which have one spec.
"""

import argparse
import gzip
import hashlib
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx

from tests.servers import PostgresServer, RedisServer
from tests.stack.services import SHORT, Service
from tests.waiting import await_true

Json = dict[str, Any]

GATED: Json = {"formula": "x * sigmoid(a * x) + b", "parameters": {"a": {"value": 1.0, "learnable": True}, "b": 0.125}}
STUDY: Json = {
    "name": "Two functions",
    "base": {name: value for name, value in SHORT.items() if name != "activation"} | {"epochs": 1, "tags": ["kept"]},
    "factors": {"activation": ["relu", "tanh"]},
    "seeds": [0, 1, 2],
}
RESUMED: Json = SHORT | {"activation": {"name": "gated"}, "epochs": 8, "seed": 3}
"""Long enough to be stopped in the middle; its activation has a parameter that is learned."""

EXPERIMENT = ("", "/attempts", "/diagnostics", "/log", "/metrics", "/misclassified", "/result", "/weights")
STUDY_ROUTES = (
    "", "/claims", "/comparison", "/comparison?versus=relu&metric=test_loss", "/curves", "/images?a=relu&b=tanh",
    "/export?format=csv", "/export?format=csv&rows=epochs", "/export?format=jsonl&rows=diagnostics",
    "/report?format=markdown", "/report?format=html",
)  # fmt: skip
GENERAL = (
    "/activations", "/activations/relu", "/activations/gated", "/activations/gated/curve?points=9", "/comparisons",
    "/comparisons/images?group_by=activation&a=relu&b=tanh&tag=kept", "/curves?tag=kept", "/experiments?limit=100",
    "/experiments?status=succeeded&activation=tanh&sort=test_accuracy", "/experiments/export?format=csv", "/studies",
    "/queue", "/workers",
)  # fmt: skip


def fill(service: Service) -> dict[str, str]:
    """Leave a finished study, single experiments that ended, and one that was interrupted after its second epoch."""
    client = service.client
    client.register_activation("gated", GATED)
    client.finished_study(client.submit_study(STUDY)["id"])
    cancelled = client.submit_experiment(SHORT | {"epochs": 1000})["id"]
    await_true(lambda: client.experiment(cancelled)["epochs_done"] >= 1)
    client.cancel(cancelled)
    client.edit_experiment(cancelled, {"name": "Stopped", "notes": "It took too long.", "tags": ["long"]})
    service.finished(cancelled)
    fast = client.submit_experiment(SHORT | {"optimizer": {"name": "sgd", "learning_rate": 100}, "seed": 5})["id"]
    service.finished(fast)
    uninterrupted = client.submit_experiment(RESUMED)["id"]
    service.finished(uninterrupted)
    interrupted = client.submit_experiment(RESUMED)["id"]
    await_true(lambda: client.experiment(interrupted)["epochs_done"] >= 2)
    service.stop()
    return {"interrupted": interrupted, "uninterrupted": uninterrupted}


def answers(service: Service) -> dict[str, Json]:
    """Return the answer of the API to each path, without a worker that would change it."""
    service.launch("serve", name="recorded")
    await_true(service.client.healthy, seconds=90)
    with httpx.Client(base_url=f"http://127.0.0.1:{service.port}", timeout=40) as http:
        recorded = {path: recorded_answer(http.get(path)) for path in paths(service)}
    service.stop("recorded")
    return recorded


def paths(service: Service) -> Iterator[str]:
    yield from ("/healthz", "/readyz")
    yield from (f"/api/v1{path}" for path in GENERAL)
    for study in service.client.studies():
        yield from (f"/api/v1/studies/{study['id']}{path}" for path in STUDY_ROUTES)
    for experiment in service.client.experiments():
        yield from (f"/api/v1/experiments/{experiment['id']}{path}" for path in EXPERIMENT)


def recorded_answer(answer: httpx.Response) -> Json:
    """Status, media type and body: JSON or text as it is, other bytes as their SHA-256."""
    assert answer.status_code < 500, f"{answer.url}: {answer.text}"
    media_type = answer.headers.get("content-type", "").partition(";")[0]
    body: Any
    if media_type.endswith("json"):
        body = answer.json()
    else:
        body = answer.text if media_type.startswith("text/") else hashlib.sha256(answer.content).hexdigest()
    return {"status": answer.status_code, "type": media_type, "body": body}


def pack(service: Service, file: Path) -> None:
    """Archive the folder without what the processes printed."""
    with tarfile.open(file, "w:gz") as archive:
        archive.add(service.home, ".", filter=lambda member: None if member.name.endswith(".out") else member)


def dump(service: Service, file: Path) -> None:
    url = service.database_url.replace("+psycopg", "")
    options = ["--inserts", "--rows-per-insert=100", "--no-owner", "--no-privileges"]
    text = subprocess.run(["pg_dump", *options, url], check=True, capture_output=True, text=True).stdout
    # Other versions of the server or of its tools know neither.
    others = ("\\", "SET transaction_timeout")
    with gzip.open(file, "wt") as stream:
        stream.writelines(f"{line}\n" for line in text.splitlines() if not line.startswith(others))


def write(file: Path, value: Json) -> None:
    with gzip.open(file, "wt") as stream:
        json.dump(value, stream, sort_keys=True)


def make(service: Service, stack: str, folder: Path) -> None:
    service.start()
    try:
        ids = fill(service)
        pack(service, folder / f"{stack}.tar.gz")
        if stack == "production":
            dump(service, folder / f"{stack}.sql.gz")
        write(folder / f"{stack}.json.gz", {**ids, "answers": answers(service)})
    finally:
        service.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="actlab-release-") as temporary:
        make(Service(Path(temporary) / "home"), "embedded", folder)
    postgres = PostgresServer().start()
    try:
        with tempfile.TemporaryDirectory(prefix="actlab-release-") as temporary:
            redis = RedisServer(Path(temporary) / "redis").start()
            postgres.execute("CREATE DATABASE released")
            make(Service(Path(temporary) / "home", postgres.url("released"), redis.url), "production", folder)
            redis.stop()
    finally:
        postgres.remove()


if __name__ == "__main__":
    main()
