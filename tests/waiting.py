"""Waiting for what another thread or process will do."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def await_true(look: Callable[[], T | None], seconds: float = 60.0, every: float = 0.02) -> T:
    """The first value of `look` that is true; an AssertionError when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain"
        time.sleep(every)
    return found
