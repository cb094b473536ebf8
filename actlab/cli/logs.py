"""The log of an experiment's newest attempt, once or as it grows."""

import time
from collections.abc import Iterator

from actlab.cli.output import Json
from actlab.client import Client

PAUSE_SECONDS = 1.0
"""Seconds between two readings; a worker sends the end of its log with each renewal, every 5 s by default."""


def follow(client: Client, id: str) -> Iterator[tuple[int, str]]:
    """Yield the attempt and what its log has gained, until the experiment has ended."""
    attempt, seen = 0, ""
    while True:
        has_ended = client.experiment(id)["finished_at"] is not None  # read first: its log is whole then
        newest = newest_attempt(client, id)
        if newest is not None:
            known = seen if newest["attempt"] == attempt else ""
            attempt, text = newest["attempt"], newest["log_tail"]
            if gained := gain(known, text):
                yield attempt, gained
            seen = text
        if has_ended:
            return
        time.sleep(PAUSE_SECONDS)


def newest_attempt(client: Client, id: str) -> Json | None:
    attempts = client.attempts(id)
    return attempts[-1] if attempts else None


def gain(older: str, newer: str) -> str:
    """Return what `newer` has after `older`. Both are the ends of one log, which the service cuts off at the beginning
    of a line; all of `newer` where nothing of `older` is left in it."""
    if newer.startswith(older):
        return newer[len(older) :]
    first_line = newer[: newer.find("\n") + 1]
    start = older.find(first_line) if first_line else -1
    while start >= 0:
        if newer.startswith(older[start:]):
            return newer[len(older) - start :]
        start = older.find(first_line, start + 1)
    return newer
