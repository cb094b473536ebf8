"""Kill random processes at random moments while experiments run, and judge the database afterwards.

python -m tests.faults.chaos --stack embedded --kills 200 --experiments 100 --seed 1
"""

import random
import signal
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import httpx2
import psutil
import typer

from actlab.client import ApiError
from service.storage.engine.database import Database
from tests.faults.history import Verdict, judge
from tests.servers import PostgresServer, RedisServer
from tests.stack.services import SHORT, Service

SPEC = SHORT | {"epochs": 4}
SECONDS_BETWEEN_KILLS = (0.5, 6.0)
TIMEOUT_SECONDS = 1200.0


def run(stack: str, kills: int, experiments: int, seed: int) -> Verdict:
    """Submit `experiments`, kill `kills` processes (workers three times as often as APIs), and judge the database.

    No number of losses fails an experiment here, since the test itself causes each loss.
    """
    rng = random.Random(seed)
    with ExitStack() as cleanup:
        service = _service(stack, cleanup)
        cleanup.callback(service.close)
        service.start()
        for number in range(experiments):
            service.client.submit_experiment(SPEC | {"seed": number}, idempotency_key=str(number))
        killed = 0
        while killed < kills:
            time.sleep(rng.uniform(*SECONDS_BETWEEN_KILLS))
            killed += _kill(service, rng.choice(["worker", "worker", "worker", "serve"]))
        _await_idle(service)
        database = Database(service.database_url)
        cleanup.callback(database.close)
        return judge(database)


def _service(stack: str, cleanup: ExitStack) -> Service:
    home = Path(cleanup.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
    settings = {"ACTLAB_MAX_LOSSES": "100", "ACTLAB_CHECKPOINT_SECONDS": "0.3", "ACTLAB_LEASE_SECONDS": "2"}
    if stack == "embedded":
        return Service(home / "home", **settings)
    postgres, redis = PostgresServer().start(), RedisServer(home / "redis").start()
    cleanup.callback(postgres.remove)
    cleanup.callback(redis.stop)
    return Service(home / "home", postgres.url(), redis.url, **settings)


def _kill(service: Service, name: str) -> bool:
    """Kill the process and return True, or return False where it is dead and not yet restarted."""
    service.revive()
    try:
        service.process(name).send_signal(signal.SIGKILL)
    except (psutil.NoSuchProcess, StopIteration):
        return False
    return True


def _await_idle(service: Service) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        service.revive()
        try:
            queue = service.client.queue()
        except (ApiError, httpx2.TransportError):
            queue = None
        if queue is not None and queue["queued"] + queue["running"] == 0:
            return
        time.sleep(0.5)


def main(stack: str = "embedded", kills: int = 200, experiments: int = 100, seed: int = 0) -> None:
    started = time.monotonic()
    typer.echo(f"stack {stack}, seed {seed}")
    verdict = run(stack, kills, experiments, seed)
    typer.echo(
        f"{kills} kills, {verdict.accepted} accepted, {verdict.terminal} terminal, {verdict.doubled} doubled,"
        f" {verdict.stale} stale writes, {verdict.gaps} with gaps, {verdict.open_attempts} attempts left open,"
        f" {time.monotonic() - started:.0f} s"
    )
    raise typer.Exit(0 if verdict.clean and verdict.accepted == experiments else 1)


if __name__ == "__main__":
    typer.run(main)
