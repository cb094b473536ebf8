"""Work that each API process repeats: waking idle workers after lost wakes, and starting rankings that are due."""

import functools

import structlog
from sqlalchemy.exc import DBAPIError

from service.background.wakes import Waker
from service.storage.engine.database import Database
from service.storage.queue import order
from service.storage.records import workers
from service.storage.studies import tuning
from service.usecases import rankings

log = structlog.get_logger(__name__)


def reconcile(database: Database, waker: Waker) -> None:
    """Wake as many idle workers as there is work for, so that a lost wake costs only seconds."""
    with database.read() as session:
        due = order.count_due(session)
        idle = workers.count_idle(session) if due else 0
    if due and idle:
        waker.wake(min(due, idle))


def start_rankings(database: Database, waker: Waker, code: str) -> None:
    """Start the rankings that are due; after a crash at any point, the next call starts them.

    `code` is this version, whose experiments may be reused for the ranking.
    """
    with database.read() as session:
        studies = tuning.due(session)
    for id in studies:
        try:
            waker.wake(database.run("start_ranking", functools.partial(rankings.start, id=id, code=code)))
        except DBAPIError:
            raise
        except Exception:
            # A defect, which must not stop the rankings of other studies.
            log.exception("ranking_failed", study=str(id))
