"""When the watchdog is reset. `tests/faults/test_worker_faults.py` has what it ends."""

import faulthandler
import io

import pytest

from worker.watchdog import Watchdog


@pytest.fixture
def armed(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The times that the watchdog was armed with, in seconds."""
    times: list[float] = []
    monkeypatch.setattr(faulthandler, "dump_traceback_later", lambda seconds, exit, file: times.append(seconds))
    return times


def test_pet_resets_at_most_once_a_second(armed: list[float]) -> None:
    watchdog = Watchdog(io.StringIO())
    watchdog.arm(120)
    watchdog.pet(120)
    watchdog._armed_at -= 1
    watchdog.pet(120)
    assert armed == [120, 120]


def test_pet_resets_at_once_to_another_time(armed: list[float]) -> None:
    watchdog = Watchdog(io.StringIO())
    watchdog.arm(900)
    watchdog.pet(120)
    assert armed == [900, 120]
