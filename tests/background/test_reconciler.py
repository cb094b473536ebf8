"""The reconciler: waking idle workers, and starting rankings that are due."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from service.background import reconciler
from service.storage.engine.database import Database
from service.storage.records import workers
from service.storage.studies import tuning
from service.usecases import rankings
from tests.background.waking import CountingWaker
from tests.conftest import make_experiment
from tests.making import make_heartbeat


@pytest.fixture
def waker() -> Any:
    return CountingWaker()


@pytest.mark.parametrize(("queued", "idle", "busy", "wakes"), [(0, 2, 0, 0), (3, 0, 1, 0), (3, 2, 1, 2), (1, 2, 0, 1)])
def test_reconcile_wakes_as_many_workers_as_can_work(
    database: Database, waker: Any, queued: int, idle: int, busy: int, wakes: int
) -> None:
    with database.write("make") as session:
        for _ in range(queued):
            make_experiment(session)
        for number in range(idle):
            workers.beat(session, make_heartbeat(f"idle{number}"))
        for number in range(busy):
            workers.beat(session, make_heartbeat(f"busy{number}", experiments=["x"]))
    reconciler.reconcile(database, waker)
    assert waker.wakes == wakes


@pytest.fixture
def due(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """Two studies whose rankings are due; starting the first fails."""
    studies = [UUID(int=1), UUID(int=2)]
    monkeypatch.setattr(tuning, "due", lambda session: studies)
    return studies


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_start_rankings_wakes_and_goes_on_after_a_defect(
    database: Database, waker: Any, due: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(session: Session, id: UUID, code: str) -> int:
        if id == due[0]:
            raise ZeroDivisionError
        return 5

    monkeypatch.setattr(rankings, "start", start)
    with capture_logs() as logs:
        reconciler.start_rankings(database, waker, "0.1.0")
    assert waker.wakes == 5
    assert [(line["event"], line["study"]) for line in logs] == [("ranking_failed", str(due[0]))]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_start_rankings_leaves_an_unreachable_database_to_the_caller(
    database: Database, waker: Any, due: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(session: Session, id: UUID, code: str) -> int:
        raise OperationalError("SELECT", {}, Exception("away"))

    monkeypatch.setattr(rankings, "start", start)
    with pytest.raises(OperationalError):
        reconciler.start_rankings(database, waker, "0.1.0")
    assert waker.wakes == 0
