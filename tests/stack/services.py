"""A service of real processes of the installed command, on either stack."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

from actlab.client import Client
from tests.servers import free_port
from tests.waiting import await_true

Json = dict[str, Any]

# Seconds of training on one thread: long enough to be interrupted, short enough for a test.
SHORT: Json = {
    "activation": "relu", "dataset": "mnist_5k", "epochs": 2, "train_samples": 400, "batch_size": 20,
    "precision": "float32", "model": {"conv_channels": [4, 4], "dense_units": 8},
}  # fmt: skip
LONG: Json = SHORT | {"epochs": 1000}


class Service:
    """A service: `up` on the embedded stack; `serve` and `worker` where a database and a broker are given."""

    def __init__(
        self, home: Path, database_url: str | None = None, broker_url: str | None = None, **settings: str
    ) -> None:
        self.home = home
        self.port = free_port()
        self.embedded = database_url is None
        self.environment = _environment(home, self.port, database_url, broker_url) | settings
        self.database_url = database_url or f"sqlite:///{home.resolve() / 'actlab.db'}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.client = Client(f"http://127.0.0.1:{self.port}", retries=0)  # tests see each answer

    def start(self) -> "Service":
        if self.embedded:
            self.launch("up")
        else:
            self.run("db", "upgrade")
            self.launch("serve")
            self.launch("worker")
        self.await_health()
        return self

    def await_health(self) -> None:
        await_true(self.client.healthy, seconds=90)

    def launch(self, *command: str, name: str | None = None) -> None:
        """Start one of its processes; its output goes to a file under home."""
        name = name or command[0]
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / f"{name}.out").open("ab") as output:
            process = subprocess.Popen(_command(*command), env=self.environment, stdout=output, stderr=output)
        self.processes[name] = process

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            _command(*command), env=self.environment, check=check, capture_output=True, text=True, timeout=180
        )

    def process(self, name: str) -> psutil.Process:
        """Return the `serve` or the `worker` process."""
        if not self.embedded:
            return psutil.Process(self.processes[name].pid)
        children = psutil.Process(self.processes["up"].pid).children()
        return next(child for child in children if name in child.cmdline())

    def stop(self, name: str | None = None, number: int = signal.SIGTERM) -> None:
        """Signal one or all of its processes, and wait for them."""
        names = list(self.processes) if name is None else [name]
        for name in names:
            self.processes[name].send_signal(number)
        for name in names:
            self.processes.pop(name).wait(40)

    def revive(self) -> None:
        """Start the processes again that have ended, as a container runtime does; `up` restarts its own children."""
        for name, process in list(self.processes.items()):
            if process.poll() is not None:
                self.launch(name)

    def output(self, name: str) -> str:
        return (self.home / f"{name}.out").read_text(errors="replace")

    def close(self) -> None:
        self.client.close()
        for name, process in list(self.processes.items()):
            if process.poll() is not None:
                del self.processes[name]
        self.stop()

    # --- waiting -----------------------------------------------------------------------------------

    def until(self, id: str, *, seconds: float = 60.0, **fields: object) -> Json:
        """Return the experiment once its fields have these values."""

        def look() -> Json | None:
            experiment = self.client.experiment(id)
            return experiment if all(experiment[name] == value for name, value in fields.items()) else None

        return await_true(look, seconds, every=0.05)

    def finished(self, id: str) -> Json:
        return await_true(lambda: _if_ended(self.client.experiment(id)), seconds=90, every=0.1)


def figures_of(epochs: list[Json]) -> list[Json]:
    """The figures of each epoch without its timings and without the attempt that measured it."""
    others = {"seconds", "images_per_second", "attempt", "revision", "recorded_at"}
    return [{name: value for name, value in epoch.items() if name not in others} for epoch in epochs]


def _if_ended(experiment: Json) -> Json | None:
    return experiment if experiment["finished_at"] else None


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "actlab", *arguments]


def _environment(home: Path, port: int, database_url: str | None, broker_url: str | None) -> dict[str, str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith("ACTLAB_")}
    settings = {
        "ACTLAB_HOME": str(home),
        "ACTLAB_PORT": str(port),
        "ACTLAB_API_PROCESSES": "1",
        "ACTLAB_THREADS": "1",
        "ACTLAB_WORKERS": "1",
        "ACTLAB_LEASE_SECONDS": "4",
        "ACTLAB_RENEW_SECONDS": "0.5",
        "ACTLAB_REAP_SECONDS": "0.5",
        "ACTLAB_RECONCILE_SECONDS": "0.5",
        "ACTLAB_CHECKPOINT_SECONDS": "1",
        "ACTLAB_RESTART_SECONDS": "0.2",
        "ACTLAB_TRACE": "true",
        "ACTLAB_LOG_FORMAT": "console",  # tests read it
    }
    if database_url is not None and broker_url is not None:
        settings |= {"ACTLAB_DATABASE_URL": database_url, "ACTLAB_BROKER_URL": broker_url}
    return others | settings
