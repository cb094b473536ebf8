"""An installation that fault tests share: its processes, its servers, and what one test does to it."""

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
"""What most tests train: long enough to be interrupted anywhere, about two seconds undisturbed."""

PATIENCE = 240.0  # s; of a machine that does other things as well


@dataclass(frozen=True)
class Installation:
    """One API and one worker. On the production stack the database lies behind a proxy, which can swallow packets."""

    service: Service
    database: Database  # the test's own door, past the proxy
    plan: Path  # of ACTLAB_FAULT
    postgres: PostgresServer | None = None
    proxy: Proxy | None = None
    redis: RedisServer | None = None


@contextmanager
def installed(stack: str, folder: Path, **settings: str) -> Iterator[Installation]:
    """Started, on servers of its own that tests may kill."""
    # As the worker would set it itself and start once more, which takes seconds.
    settings = VARIABLES | {"ACTLAB_FAULT": f"@{folder / 'plan'}"} | settings
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
    """An installation as one test sees it: with no experiments but its own."""

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

    def settle(self) -> None:
        """Everything runs and nothing is left to do: what a test before this one broke or left is no fault of its
        own."""
        self.follow("")
        await_true(lambda: self.alive() and self._idle(), PATIENCE, every=0.1)
        with self.database.read() as session:
            self.before = set(session.scalars(select(Experiment.id)))

    def follow(self, plan: str) -> None:
        """From now on processes act at these crash points, each once."""
        file = self.installation.plan
        _replace(file, "")
        shutil.rmtree(self.service.home / "faults", ignore_errors=True)
        _replace(file, plan)

    def reached(self, point: str) -> bool:
        """Whether a process has acted there."""
        return (self.service.home / "faults" / f"{point}.reached").exists()

    def await_point(self, point: str) -> None:
        await_true(lambda: self.reached(point), PATIENCE)

    def go(self, point: str) -> None:
        """Let the process go on that pauses there."""
        (self.service.home / "faults" / f"{point}.go").touch()

    # --- what the service is asked ------------------------------------------------------------------------------

    def submit(self, **fields: Any) -> str:
        """An experiment of SPEC, and its id; asked for with one key until it is answered."""
        key = uuid4().hex

        def once() -> Json | None:
            self.service.revive()
            try:
                return self.service.client.submit_experiment(SPEC | fields, idempotency_key=key)
            except (httpx2.TransportError, ApiError):
                return None

        return str(await_true(once, PATIENCE, every=0.1)["id"])

    def look(self, id: str) -> Json | None:
        """The experiment as it is; None while nobody answers. Processes that ended are started again."""
        self.service.revive()
        try:
            return self.service.client.experiment(id)
        except (httpx2.TransportError, ApiError):
            return None

    def until(self, id: str, **fields: object) -> Json:
        """The experiment, once it has these values."""

        def fits() -> Json | None:
            found = self.look(id)
            return found if found and all(found[name] == value for name, value in fields.items()) else None

        return await_true(fits, PATIENCE, every=0.05)

    def trained(self, id: str, epochs: int = 1) -> None:
        """Wait until so many epochs have been recorded."""
        await_true(lambda: (self.look(id) or {"epochs_done": 0})["epochs_done"] >= epochs, PATIENCE)

    def finish(self, id: str, seconds: float = PATIENCE) -> Json:
        return await_true(lambda: e if (e := self.look(id)) and e["finished_at"] else None, seconds, every=0.1)

    def submitted(self) -> int:
        """How many experiments there are that this test has made."""
        with self.database.read() as session:
            return len(set(session.scalars(select(Experiment.id))) - self.before)

    def alive(self) -> list[Json]:
        """Workers that the service hears of."""
        self.service.revive()
        try:
            return [worker for worker in self.service.client.workers() if worker["alive"]]
        except (httpx2.TransportError, ApiError):
            return []

    @contextmanager
    def another_worker(self) -> Iterator[None]:
        """A second one, for as long as the block lasts."""
        self.service.launch("worker", name="another")
        try:
            yield
        finally:
            self.service.stop("another")

    @contextmanager
    def frozen_worker(self) -> Iterator[psutil.Process]:
        """SIGSTOP for the worker, and SIGCONT at the end of the block at the latest."""
        frozen = self.service.process("worker")
        frozen.suspend()
        self.scenario.inject()
        try:
            yield frozen
        finally:
            frozen.resume()

    def kill(self, name: str) -> None:
        """SIGKILL for a process of the service, the fault most often injected."""
        self.service.process(name).send_signal(signal.SIGKILL)
        self.scenario.inject()

    def proved(self) -> None:
        """Every promise holds for what this test has submitted."""
        self.scenario.proved(self.database, self.before)

    def _idle(self) -> bool:
        """Nothing queued or running; what is left of a test that failed is cancelled."""
        try:
            left = [e for status in ("queued", "running") for e in self.service.client.experiments(status=status)]
            for experiment in left:
                self.service.client.cancel(experiment["id"])
        except (httpx2.TransportError, ApiError):
            return False
        return not left


@contextmanager
def nobody_writes(stage: Stage) -> Iterator[None]:
    """Another transaction holds the database: it can be read, and nothing of experiments written, meanwhile."""
    with stage.database.write("hold") as session:
        session.execute(text("SELECT 1" if stage.embedded else "LOCK TABLE experiments IN SHARE MODE"))
        yield


def _replace(file: Path, text: str) -> None:
    new = file.with_suffix(".new")
    new.write_text(text)
    new.rename(file)
