"""Waiting until a condition holds."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def await_true(look: Callable[[], T | None], seconds: float = 60.0, every: float = 0.02) -> T:
    """Call `look` until it returns a true value, and return that. Raises AssertionError after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (value := look()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain"
        time.sleep(every)
    return value
