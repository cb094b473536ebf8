"""Writes of a running experiment, repeated while the database is unreachable."""

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
SHUTDOWN_SECONDS = 3.0
"""The longest outage that a worker waits for while it is being shut down."""

log = structlog.get_logger(__name__)


class Outage(Exception):
    """Raised when the database was unreachable for longer than the timeout. The lease then runs out, and a worker that
    reaches the database requeues the experiment."""


class Persistence:
    def __init__(self, database: Database, outage_seconds: float, shutdown: Shutdown) -> None:
        self._database = database
        self._outage_seconds = outage_seconds
        self._shutdown = shutdown

    def write(self, name: str, work: Callable[[UnitOfWork], T], while_waiting: Callable[[], None] = lambda: None) -> T:
        """Run `work` in a transaction, and repeat it while the database is unreachable.

        `while_waiting` is called before each repetition. Raises Outage after the timeout.
        """

        def report(state: tenacity.RetryCallState) -> None:
            _report(state)
            while_waiting()

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(OUTAGES),
            stop=self._is_over,
            wait=tenacity.wait_random_exponential(0.2, max=5),
            before_sleep=report,
            sleep=self._sleep,
        )
        try:
            value: T = retrying(self._database.run, name, work)
        except tenacity.RetryError as error:
            raise Outage(f"The database was away for {self._outage_seconds:g} s.") from error
        return value

    def _is_over(self, state: tenacity.RetryCallState) -> bool:
        timeout = min(SHUTDOWN_SECONDS, self._outage_seconds) if self._shutdown.requested else self._outage_seconds
        return (state.seconds_since_start or 0.0) >= timeout

    def _sleep(self, seconds: float) -> None:
        if self._shutdown.requested:
            seconds = min(seconds, 0.2)
        time.sleep(seconds)


def _report(state: tenacity.RetryCallState) -> None:
    error: Any = state.outcome.exception() if state.outcome else None
    log.warning("write_retried", attempt=state.attempt_number, error=str(getattr(error, "orig", None) or error))
