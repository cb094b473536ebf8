"""Following the service's events: where a client is in them, over connections that break."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2 as httpx

from actlab.operations import ApiError, Call, Json

PAUSE_SECONDS = 1.0  # before connecting again
SILENCE_SECONDS = 60.0  # the service says something every 15 s


@dataclass(frozen=True)
class Event:
    """`kind` is experiment, metrics, study, deleted or reset; docs/live.md says what `data` holds."""

    kind: str
    data: Json


@dataclass
class Watch:
    """One client's way through the events. What broke off within a revision is told again by the service, and left out
    here."""

    study: str | None
    experiment: str | None
    kind: list[str] | None
    since: int | None
    compact: bool
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
        """One connection. That it breaks, or that the service is not ready for the next one, is no error once it has
        worked."""
        self._repeated |= self._open
        self._open.clear()
        try:
            yield
        except (httpx.TransportError, ApiError) as error:
            if not self._begun or (isinstance(error, ApiError) and error.status != 503):
                raise

    def take(self, message: httpx.ServerSentEvent) -> Event | None:
        """The event in a message, where there is one that is new."""
        self._begun = True
        told = self._told(message) if message.data else None
        if message.id and message.id != self._last_id:
            self._last_id = message.id
            self._open.clear()
            self._repeated.clear()
        return told

    def _told(self, message: httpx.ServerSentEvent) -> Event | None:
        data: Any = message.json()
        key = (message.event, data.get("id") or data.get("experiment_id"), data["revision"])
        self._open.add(key)
        return None if key in self._repeated else Event(message.event, data)
