"""MLflow and FastTrackML, which have one API (https://mlflow.org/docs/latest/rest-api.html)."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from benchmarks.footprint import free_port
from benchmarks.peers.environments import commands
from benchmarks.peers.load import Read
from benchmarks.peers.tracker import EPOCHS, LISTERS, PAGE, READERS, Served
from benchmarks.served import child

FIGURES = (
    "train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "l2", "learning_rate", "seconds",
    "images_per_second", "test_loss", "test_accuracy",
)  # fmt: skip
"""The figures of an epoch, as many as an experiment of ActLab has."""

ACTIVATIONS = ("relu", "sigmoid", "tanh", "leaky_relu", "swish")
EXPERIMENT = "0"


@dataclass(frozen=True)
class MlflowTracker:
    """A tracker with MLflow's API: the package, and the arguments after which it listens on a port and uses a file."""

    package: str
    version: str
    command: Sequence[str]
    promise: str
    environments: Path

    @property
    def name(self) -> str:
        return f"{self.package} {self.version}"

    @contextmanager
    def running(self, home: Path) -> Iterator[Served]:
        bin, port = commands(self.environments, self.package, self.version), free_port()
        places = {"port": port, "database": home / "runs.db"}
        executable, *arguments = [argument.format(**places) for argument in self.command]
        with (
            (home / "log").open("wb") as log,
            child([str(bin / executable), *arguments], dict(os.environ), port, "/health", log),
            httpx2.Client(base_url=f"http://127.0.0.1:{port}/api/2.0/mlflow", trust_env=False, timeout=60) as client,
        ):
            yield MlflowServed(client, [])


@dataclass(frozen=True)
class MlflowServed:
    client: httpx2.Client
    runs: list[str]

    def fill(self, runs: int) -> None:
        for number in range(len(self.runs), runs):
            run = self._create(number)
            metrics = [metric for epoch in range(1, EPOCHS + 1) for metric in _figures(epoch, number)]
            self._log(run, metrics)
            self._finish(run)
            self.runs.append(run)

    def reads(self) -> Mapping[str, Read]:
        base, run = str(self.client.base_url).rstrip("/"), self.runs[len(self.runs) // 2]
        search = {
            "experiment_ids": [EXPERIMENT], "filter": "params.activation = 'relu'",
            "order_by": ["metrics.test_accuracy DESC"], "max_results": PAGE,
        }  # fmt: skip
        return {
            "run": Read(f"{base}/runs/get?run_id={run}", READERS),
            "history": Read(f"{base}/metrics/get-history?run_id={run}&metric_key=validation_accuracy", READERS),
            "page": Read(f"{base}/runs/search", LISTERS, json.dumps(search)),
        }

    def write(self) -> None:
        run = self._create(len(self.runs))
        for epoch in range(1, EPOCHS + 1):
            self._log(run, _figures(epoch, len(self.runs)))
        self._finish(run)
        self.runs.append(run)

    def _create(self, number: int) -> str:
        answer = self._post("runs/create", experiment_id=EXPERIMENT, start_time=number)
        run: str = answer["run"]["info"]["run_id"]
        params = {"activation": ACTIVATIONS[number % len(ACTIVATIONS)], "seed": str(number)}
        self._log(run, [], [{"key": key, "value": value} for key, value in params.items()])
        return run

    def _log(self, run: str, metrics: Sequence[dict[str, Any]], params: Sequence[dict[str, str]] = ()) -> None:
        self._post("runs/log-batch", run_id=run, metrics=metrics, params=params, tags=[])

    def _finish(self, run: str) -> None:
        self._post("runs/update", run_id=run, status="FINISHED", end_time=1)

    def _post(self, path: str, **body: Any) -> Any:
        answer = self.client.post(f"/{path}", json=body)
        answer.raise_for_status()
        return answer.json()


def _figures(epoch: int, number: int) -> list[dict[str, Any]]:
    value = (number * 7919 + epoch) % 10007 / 10007
    return [{"key": key, "value": value, "timestamp": epoch, "step": epoch} for key in FIGURES]
