"""The installation that fault tests share, and the operations of one test on it."""

import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import psutil
from sqlalchemy import select, text

from actlab.client import ApiError
from service.storage.engine.database import Database
from service.storage.tables.experiments import Experiment
from tests.faults.proxy import Proxy
from tests.faults.scenario import Scenario
from tests.servers import PostgresServer, RedisServer
from tests.stack.services import SHORT, Json, Service
from tests.waiting import await_true
from worker.environment import VARIABLES

SPEC: Json = SHORT | {"epochs": 6}
"""The spec that most tests train: one to two seconds undisturbed, long enough to be interrupted anywhere."""

TIMEOUT_SECONDS = 240.0  # the machine may be busy with other work


@dataclass(frozen=True)
class Installation:
    """An API and a worker. On the production stack they reach the database through a proxy, which can drop packets."""

    service: Service
    database: Database  # the test's own connection, which bypasses the proxy
    plan: Path  # the file that ACTLAB_FAULT names
    postgres: PostgresServer | None = None
    proxy: Proxy | None = None
    redis: RedisServer | None = None


@contextmanager
def installed(stack: str, folder: Path, **settings: str) -> Iterator[Installation]:
    """Start an installation on servers of its own, which tests may kill."""
    # A worker without these variables sets them and starts itself again, which takes seconds. A run of SPEC takes less
    # than a second on a fast machine, and must not end before its first checkpoint.
    faults = {"ACTLAB_FAULT": f"@{folder / 'plan'}", "ACTLAB_CHECKPOINT_SECONDS": "0.1"}
    settings = VARIABLES | faults | settings
    with ExitStack() as cleanup:
        make = _embedded if stack == "embedded" else _production
        opened = make(folder, settings, cleanup)
        cleanup.callback(opened.service.close)
        opened.service.start()
        yield opened


def _embedded(folder: Path, settings: dict[str, str], cleanup: ExitStack) -> Installation:
    service = Service(folder / "home", **settings)
    database = Database(service.database_url)
    cleanup.callback(database.close)
    return Installation(service, database, folder / "plan")


def _production(folder: Path, settings: dict[str, str], cleanup: ExitStack) -> Installation:
    postgres = PostgresServer().start()
    cleanup.callback(postgres.remove)
    proxy = Proxy(postgres.port).start()
    cleanup.callback(proxy.stop)
    redis = RedisServer(folder / "redis").start()
    cleanup.callback(redis.stop)
    database = Database(postgres.url())
    cleanup.callback(database.close)
    behind = postgres.url().replace(f":{postgres.port}/", f":{proxy.port}/")
    service = Service(folder / "home", behind, redis.url, **settings)
    return Installation(service, database, folder / "plan", postgres, proxy, redis)


@dataclass
class Stage:
    """An installation as one test sees it: only the experiments of this test count."""

    installation: Installation
    scenario: Scenario
    before: set[UUID] = field(default_factory=set)

    @property
    def service(self) -> Service:
        return self.installation.service

    @property
    def database(self) -> Database:
        return self.installation.database

    @property
    def embedded(self) -> bool:
        return self.installation.service.embedded

    def await_idle(self) -> None:
        """Wait until every process runs and no experiment of an earlier test is queued or running."""
        self.plan_faults("")
        await_true(lambda: self.live_workers() and self._idle(), TIMEOUT_SECONDS, every=0.1)
        with self.database.read() as session:
            self.before = set(session.scalars(select(Experiment.id)))

    def plan_faults(self, plan: str) -> None:
        """Set the faults of the processes: each acts once at the crash point that it names."""
        file = self.installation.plan
        _replace(file, "")
        shutil.rmtree(self.service.home / "faults", ignore_errors=True)
        _replace(file, plan)

    def reached(self, point: str) -> bool:
        """Return whether a process has acted at this crash point."""
        return (self.service.home / "faults" / f"{point}.reached").exists()

    def await_point(self, point: str) -> None:
        await_true(lambda: self.reached(point), TIMEOUT_SECONDS)

    def resume_at(self, point: str) -> None:
        """Let the process that pauses at this crash point continue."""
        (self.service.home / "faults" / f"{point}.go").touch()

    def submit(self, **fields: Any) -> str:
        """Submit an experiment of SPEC and return its id. The request is repeated with one key until it is answered."""
        key = uuid4().hex

        def once() -> Json | None:
            self.service.revive()
            try:
                return self.service.client.submit_experiment(SPEC | fields, idempotency_key=key)
            except (httpx2.TransportError, ApiError):
                return None

        return str(await_true(once, TIMEOUT_SECONDS, every=0.1)["id"])

    def experiment(self, id: str) -> Json | None:
        """Return the experiment, or None while no API answers. Processes that ended are started again."""
        self.service.revive()
        try:
            return self.service.client.experiment(id)
        except (httpx2.TransportError, ApiError):
            return None

    def await_fields(self, id: str, **fields: object) -> Json:
        """Wait until the experiment has these values, and return it."""

        def matching() -> Json | None:
            experiment = self.experiment(id)
            if experiment and all(experiment[name] == value for name, value in fields.items()):
                return experiment
            return None

        return await_true(matching, TIMEOUT_SECONDS, every=0.05)

    def await_epochs(self, id: str, epochs: int = 1) -> None:
        """Wait until this many epochs have been recorded."""
        await_true(lambda: (self.experiment(id) or {"epochs_done": 0})["epochs_done"] >= epochs, TIMEOUT_SECONDS)

    def finish(self, id: str, seconds: float = TIMEOUT_SECONDS) -> Json:
        return await_true(lambda: e if (e := self.experiment(id)) and e["finished_at"] else None, seconds, every=0.1)

    def submitted_count(self) -> int:
        """Return the number of experiments that this test has created."""
        with self.database.read() as session:
            return len(set(session.scalars(select(Experiment.id))) - self.before)

    def live_workers(self) -> list[Json]:
        """Return the workers that the service calls alive; none while no API answers."""
        self.service.revive()
        try:
            return [worker for worker in self.service.client.workers() if worker["alive"]]
        except (httpx2.TransportError, ApiError):
            return []

    @contextmanager
    def another_worker(self) -> Iterator[None]:
        """Run a second worker for the duration of the block."""
        self.service.launch("worker", name="another")
        try:
            yield
        finally:
            self.service.stop("another")

    @contextmanager
    def frozen_worker(self) -> Iterator[psutil.Process]:
        """Stop the worker by SIGSTOP; the end of the block continues it, unless the test has."""
        frozen = self.service.process("worker")
        frozen.suspend()
        self.scenario.inject()
        try:
            yield frozen
        finally:
            frozen.resume()

    def kill(self, name: str) -> None:
        """Kill a process of the service by SIGKILL and count the fault."""
        self.service.process(name).send_signal(signal.SIGKILL)
        self.scenario.inject()

    def judge(self) -> None:
        """Assert every promise for the experiments that this test has submitted."""
        self.scenario.judge(self.database, self.before)

    def _idle(self) -> bool:
        """Return whether nothing is queued or running. Experiments that a failed test has left are cancelled."""
        try:
            left = [e for status in ("queued", "running") for e in self.service.client.experiments(status=status)]
            for experiment in left:
                self.service.client.cancel(experiment["id"])
        except (httpx2.TransportError, ApiError):
            return False
        return not left


@contextmanager
def writes_blocked(stage: Stage) -> Iterator[None]:
    """Hold a transaction during which experiments can be read and not written."""
    with stage.database.write("hold") as session:
        session.execute(text("SELECT 1" if stage.embedded else "LOCK TABLE experiments IN SHARE MODE"))
        yield


def _replace(file: Path, text: str) -> None:
    new = file.with_suffix(".new")
    new.write_text(text)
    new.rename(file)
