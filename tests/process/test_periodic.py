"""Periodic work in a thread of a process."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from service.process.periodic import Periodic
from tests.waiting import await_true

AWAY = OperationalError("SELECT 1", {}, Exception("gone"))


@contextmanager
def repeating(work: Callable[[], object]) -> Iterator[None]:
    periodic = Periodic("work", 0.01, work).start()
    try:
        yield
    finally:
        periodic.stop()


def test_work_is_repeated_until_stop() -> None:
    calls: list[int] = []
    with repeating(lambda: calls.append(1)):
        await_true(lambda: len(calls) > 2)
    calls_at_stop = len(calls)
    time.sleep(0.1)
    assert len(calls) == calls_at_stop


@pytest.mark.parametrize(
    ("error", "events"),
    [(AWAY, ["database_away", "database_back"]), (ZeroDivisionError(), ["periodic_failed", "periodic_failed"])],
    ids=["database away", "defect"],
)
def test_error_is_logged_and_does_not_end_the_thread(error: Exception, events: list[str]) -> None:
    calls: list[int] = []

    def work() -> None:
        calls.append(1)
        if len(calls) <= 2:
            raise error

    with capture_logs() as logs, repeating(work):
        await_true(lambda: len(calls) > 3)
    assert [line["event"] for line in logs] == events
