"""Observing what a use case has written, as other transactions see it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event, func, select

from service.storage.engine.database import Database
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.tables.changes import ChangeCounter
from service.storage.tables.experiments import Experiment
from service.storage.tables.studies import Study, StudyReuse


class Crash(Exception):
    """Raised by a test after a use case and before the commit."""


def run_and_crash(database: Database, use_case: Callable[[UnitOfWork], Any]) -> None:
    """Run a use case in a transaction that does not commit."""

    def crash(session: UnitOfWork) -> None:
        use_case(session)
        raise Crash

    try:
        database.run("crash", crash)
    except Crash:
        return
    raise AssertionError("the transaction committed")


def stored(database: Database) -> dict[str, Any]:
    """Numbers and states that any use case would change."""
    with database.read() as session:
        statuses = select(Experiment.status, Experiment.cancel_requested).order_by(Experiment.id)
        plans = select(Study.id, Study.name, Study.seeds, Study.tuned_at, Study.cancelled_at).order_by(Study.id)
        return {
            "revision": session.scalars(select(ChangeCounter.value)).one(),
            "experiments": [tuple(row) for row in session.execute(statuses)],
            "studies": [tuple(row) for row in session.execute(plans)],
            "reused": session.scalars(select(func.count()).select_from(StudyReuse)).one(),
        }


@contextmanager
def commits(database: Database) -> Iterator[list[Connection]]:
    """Collect the connections that commit within the block: one for each transaction."""
    committed: list[Connection] = []

    def note(connection: Connection) -> None:
        committed.append(connection)

    event.listen(database.engine, "commit", note)
    try:
        yield committed
    finally:
        event.remove(database.engine, "commit", note)
