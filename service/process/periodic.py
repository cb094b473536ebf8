"""Periodic work, which a process repeats in a thread until it stops."""

import random
import threading
from collections.abc import Callable
from typing import Self

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

log = structlog.get_logger(__name__)


class Periodic:
    """Calls `work` about every `seconds`, with a jitter of a fifth so that processes do not act in step.

    An unreachable database is logged once until it is back. Any other error is a defect, which is logged with its
    traceback. Neither ends the thread.
    """

    def __init__(self, name: str, seconds: float, work: Callable[[], object]) -> None:
        self.name = name
        self.seconds = seconds
        self.work = work
        self._stop = threading.Event()
        self._away = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=2)  # a daemon thread, which may be waiting for an unreachable database

    def _run(self) -> None:
        while not self._stop.wait(self.seconds * random.uniform(0.8, 1.2)):
            self._once()

    def _once(self) -> None:
        try:
            self.work()
            if self._away:
                log.info("database_back", thread=self.name)
            self._away = False
        except (DBAPIError, PoolTimeout) as error:
            if not self._away:
                log.warning("database_away", thread=self.name, error=str(error.__cause__ or error))
            self._away = True
        except Exception:
            log.exception("periodic_failed", thread=self.name)
