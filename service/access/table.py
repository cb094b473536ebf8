"""The keys that an API process knows, so that a request costs no query."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from service.access import keys
from service.access.keys import Key
from service.access.principals import Principal
from service.domain.errors import Unauthorized

PERIOD_SECONDS = 0.4
"""The mean time between two looks of a process at the counter of changes to keys."""
LONGEST_AGE_SECONDS = 1.0
"""The age at which the table must be looked after before it decides: a revocation holds within this time."""


@dataclass(frozen=True)
class Snapshot:
    """All keys, and the value of the counter of changes to keys that they were read with."""

    version: int
    keys: Mapping[str, Key] = field(default_factory=dict)


Read = Callable[[int], Snapshot | None]
"""Reads the keys; returns None where the counter still has the given value."""


class KeyTable:
    """The keys by id, with the ids that were used since they were last taken.

    Threads refresh it; the event loop reads it.
    """

    def __init__(self, read: Read, clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._clock = clock
        self._lock = threading.Lock()
        self._version = -1
        self._keys: dict[str, tuple[Key, Principal]] = {}
        self._asked_at = float("-inf")
        self._used: dict[str, float] = {}

    def refresh(self) -> None:
        """Read the keys again if any has changed. Raises the error of a database that does not answer."""
        with self._lock:
            asked_at = self._clock()
            snapshot = self._read(self._version)
            if snapshot is not None:
                self._version = snapshot.version
                self._keys = {id: (key, _principal(key)) for id, key in snapshot.keys.items()}
            self._asked_at = asked_at

    @property
    def fresh(self) -> bool:
        """True while the table is young enough to decide."""
        return self._clock() - self._asked_at <= LONGEST_AGE_SECONDS

    @property
    def empty(self) -> bool:
        """True if no key was ever made. Revoked and expired keys count."""
        return not self._keys

    def principal(self, text: str) -> Principal:
        """Return who a key stands for. Raises Unauthorized for text that is no key or not a valid one any more."""
        id = keys.id_of(text)
        if id is None:
            raise Unauthorized("This is not an API key: one reads actlab_<8 characters>_<43 characters>.")
        stored, principal = self._keys.get(id, (None, None))
        if not keys.matches(text, stored) or stored is None or principal is None:
            raise Unauthorized("There is no such API key.")
        if (reason := _reason_against(stored)) is not None:
            raise Unauthorized(reason)
        self._used[id] = time.time()
        return principal

    def holds(self, principal: Principal) -> bool:
        """Return whether the key of a principal is still valid."""
        stored, _ = self._keys.get(principal.id, (None, None))
        return stored is not None and _reason_against(stored) is None

    def take_used(self) -> dict[str, datetime]:
        """Return when each key was last used since the last call."""
        used, self._used = self._used, {}
        return {id: datetime.fromtimestamp(at, UTC) for id, at in used.items()}


def _principal(key: Key) -> Principal:
    return Principal(key.id, key.name, key.role, key.expires_at)


def _reason_against(stored: Key) -> str | None:
    """Return why a key is not valid any more; None for a valid one."""
    if stored.revoked_at is not None:
        return f"The API key {stored.id} was revoked."
    if stored.expires_at is not None and stored.expires_at <= datetime.now(UTC):
        return f"The API key {stored.id} has expired."
    return None
