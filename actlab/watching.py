"""The position of a client in the service's events, kept over connections that break."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2 as httpx

from actlab.errors import ApiError
from actlab.flows import Call, Json

PAUSE_SECONDS = 1.0  # before connecting again
SILENCE_SECONDS = 60.0  # the service sends a heartbeat every 15 s


@dataclass(frozen=True)
class Event:
    """An event. `kind` is experiment, metrics, study, deleted or reset; docs/live.md describes the `data` of each."""

    kind: str
    data: Json


@dataclass
class Watch:
    """The position of one client in the events.

    The service repeats a revision whose events were cut off by a break; `take` leaves the repeated events out.
    """

    study: str | None
    experiment: str | list[str] | None
    kind: list[str] | None
    since: int | None
    compact: bool
    patience: float | None = None
    _heard: float = field(default_factory=time.monotonic)
    _last_id: str = ""
    _begun: bool = False
    _open: set[Any] = field(default_factory=set)  # events of a revision that is not complete yet
    _repeated: set[Any] = field(default_factory=set)

    @property
    def request(self) -> dict[str, Any]:
        """Keyword arguments of a client's `stream`."""
        query = {"study": self.study, "experiment": self.experiment, "kind": self.kind, "since": self.since}
        call = Call("GET", "/events", {**query, "compact": self.compact})
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": self._last_id} if self._last_id else {})}
        timeout = httpx.Timeout(SILENCE_SECONDS)
        return {"method": "GET", "url": call.url, "params": call.parameters, "headers": headers, "timeout": timeout}

    @contextmanager
    def connection(self) -> Iterator[None]:
        """Enclose one connection. Once one has worked, its break is no error, nor is a 503 for the next, unless the
        service has been silent for `patience` seconds."""
        self._repeated |= self._open
        self._open.clear()
        try:
            yield
        except (httpx.TransportError, ApiError) as error:
            refused = isinstance(error, ApiError) and error.status != 503
            if refused or not self._begun or self._is_out_of_patience():
                raise

    def take(self, message: httpx.ServerSentEvent) -> Event | None:
        """Return the event of a message; None if it has none or repeats one."""
        self._begun = True
        self._heard = time.monotonic()
        event = self._event(message) if message.data else None
        if message.id and message.id != self._last_id:
            self._last_id = message.id
            self._open.clear()
            self._repeated.clear()
        return event

    def _is_out_of_patience(self) -> bool:
        return self.patience is not None and time.monotonic() - self._heard > self.patience

    def _event(self, message: httpx.ServerSentEvent) -> Event | None:
        data: Any = message.json()
        key = (message.event, data.get("id") or data.get("experiment_id"), data["revision"])
        self._open.add(key)
        return None if key in self._repeated else Event(message.event, data)
