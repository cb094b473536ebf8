"""MLflow's own client, in an environment of its own with the locked version, reads a service.

Set-up takes about ten seconds of processor time.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest

from service.access.roles import Role
from service.settings import Settings
from service.storage.engine.database import Database
from tests.api import states
from tests.api.holders import make_key
from tests.api.routes.test_weights import keep
from tests.api.serving import listening
from tests.conftest import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), states.on_sqlite]

ENVIRONMENT = ("MLFLOW_", "ACTLAB_", "PYTHON")
"""Beginnings of variables of this process that the client does not see."""
REFUSED = ["PERMISSION_DENIED"] * 5 + ["INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a virtual environment with MLflow's client and pandas."""
    folder = tmp_path_factory.mktemp("mlflow") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", f"--python={folder}"]
    options = ["--no-compile", "--require-hashes", "--no-deps", f"--requirement={ROOT / 'locks' / 'mlflow.txt'}"]
    subprocess.run([*pip, "install", *options], check=True)
    return folder


@dataclass(frozen=True)
class Filled:
    """A service with a study of two activations and two seeds, whose best run has weights."""

    url: str
    study: str
    best: str
    token: str


@pytest.fixture
def filled(settings: Settings, database: Database) -> Iterator[Filled]:
    token = make_key(database, Role.VIEWER).text
    admin = {"Authorization": f"Bearer {make_key(database, Role.ADMIN).text}"}
    body = {"name": "depth", "base": {"dataset": "mnist_5k", "epochs": 2},
            "factors": {"activation": ["relu", "tanh"]}, "seeds": [0, 1]}  # fmt: skip
    with listening(settings) as url:
        study = httpx2.post(f"{url}/api/v1/studies", json=body, headers=admin).json()["id"]
        states.train_queued(database, lambda spec: 0.8 + 0.1 * spec["seed"])
        query = {"query": "seed = 1 AND activation = 'relu'"}
        (best,) = httpx2.get(f"{url}/api/v1/experiments", params=query, headers=admin).json()["items"]
        keep(database, settings, UUID(best["id"]))
        states.queue(database, name="alone")
        yield Filled(url, study, best["id"], token)


@pytest.fixture
def run(environment: Path, filled: Filled, tmp_path: Path) -> Callable[..., str]:
    """Run a program of the environment with the address of the service, and return what it prints."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(ENVIRONMENT)}
    own |= {"MLFLOW_TRACKING_URI": filled.url, "MLFLOW_TRACKING_TOKEN": filled.token, "HOME": str(tmp_path)}

    def run(program: str, *words: str, **variables: str) -> str:
        command = [str(environment / "bin" / program), *words]
        done = subprocess.run(
            command, env=own | variables, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_client_of_mlflow_reads_what_the_service_has(run: Callable[..., str], filled: Filled) -> None:
    read: dict[str, Any] = json.loads(run("python", str(ROOT / "tests" / "stack" / "mlflow_client.py"), "depth"))
    assert read["experiments"] == ["depth", "Default"]
    assert (read["filtered"], read["by id"], read["unknown"]) == (["depth"], "depth", None)
    assert read["runs"] == [["1", pytest.approx(0.9)], ["0", pytest.approx(0.8)]]
    assert read["pages"] == [3, 1]
    assert read["run"][:2] == ["FINISHED", "actlab"]
    assert {"test_accuracy", "train_loss", "validation_loss", "seconds"} <= set(read["run"][2])
    assert (read["inputs"], read["history"], read["no history"]) == (["mnist_5k"], [[1, 0.5], [2, 0.5]], [])
    assert [activation for activation, _ in read["frame"]] in (["relu", "tanh"] * 2, ["tanh", "relu"] * 2,
        ["relu", "tanh", "tanh", "relu"], ["tanh", "relu", "relu", "tanh"])  # fmt: skip
    assert (read["fluent"], read["archived"]) == (1, 0)
    assert read["artifacts"] == [[name, False] for name in ("best.safetensors", "last.safetensors", "report.html")]
    assert read["downloaded"].keys() == {"best.safetensors", "last.safetensors", "report.html"}
    assert read["downloaded"]["last.safetensors"] == 4000
    assert read["downloaded"]["report.html"] > 10_000
    assert read["refused"] == REFUSED


@pytest.mark.nightly
def test_command_of_mlflow_lists_runs_with_a_key(run: Callable[..., str], filled: Filled) -> None:
    listed = run("mlflow", "runs", "list", "--experiment-id", filled.study)
    assert filled.best in listed
    assert filled.best in run("mlflow", "runs", "describe", "--run-id", filled.best)
    basic = {"MLFLOW_TRACKING_USERNAME": "key", "MLFLOW_TRACKING_PASSWORD": filled.token}
    no_token = {"MLFLOW_TRACKING_TOKEN": ""}
    assert "depth" in run("mlflow", "experiments", "search", **basic, **no_token)
    with pytest.raises(AssertionError, match="API key"):
        run("mlflow", "experiments", "search", MLFLOW_TRACKING_TOKEN="wrong")
