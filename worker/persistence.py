"""Writes of a running experiment, which a database that is away delays but does not lose."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import structlog
import tenacity
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.process.shutdown import Shutdown
from service.storage.engine.database import Database
from service.storage.engine.unit_of_work import UnitOfWork

T = TypeVar("T")

OUTAGES = (OperationalError, InterfaceError, PoolTimeout)
HASTY_SECONDS = 3.0  # for a worker that is being shut down

log = structlog.get_logger(__name__)


class Outage(Exception):
    """The database stayed away too long. The lease runs out, and whoever reaches the database again goes on."""


class Persistence:
    def __init__(self, database: Database, outage_seconds: float, shutdown: Shutdown) -> None:
        self._database = database
        self._outage_seconds = outage_seconds
        self._shutdown = shutdown

    def write(self, name: str, work: Callable[[UnitOfWork], T], while_waiting: Callable[[], None] = lambda: None) -> T:
        """Do `work` in a transaction, again and again while the database is away; `while_waiting` is called before each
        further try. Outage when it stays away."""

        def report(state: tenacity.RetryCallState) -> None:
            _report(state)
            while_waiting()

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(OUTAGES),
            stop=self._given_up,
            wait=tenacity.wait_random_exponential(0.2, max=5),
            before_sleep=report,
            sleep=self._sleep,
        )
        try:
            value: T = retrying(self._database.run, name, work)
        except tenacity.RetryError as error:
            raise Outage(f"The database was away for {self._outage_seconds:g} s.") from error
        return value

    def _given_up(self, state: tenacity.RetryCallState) -> bool:
        patience = min(HASTY_SECONDS, self._outage_seconds) if self._shutdown.requested else self._outage_seconds
        return (state.seconds_since_start or 0.0) >= patience

    def _sleep(self, seconds: float) -> None:
        if self._shutdown.requested:
            seconds = min(seconds, 0.2)
        time.sleep(seconds)


def _report(state: tenacity.RetryCallState) -> None:
    error: Any = state.outcome.exception() if state.outcome else None
    log.warning("write_retried", attempt=state.attempt_number, error=str(getattr(error, "orig", None) or error))
