"""The embedded broker: wakes as files in a folder, for a machine without Redis.

It changes kombu's filesystem transport in three ways. A message appears under its name only when it is complete. A file
that is not a message is dropped instead of ending the worker. The folder holds nothing but messages, so that deleting
it, even while processes run, only delays work.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from time import monotonic_ns
from typing import Any
from uuid import uuid4

import structlog
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps, loads

POLL_SECONDS = 0.5

log = structlog.get_logger(__name__)


class Channel(filesystem.Channel):
    """A channel on which every queue has an exchange and a routing key of its own name. It stores no bindings."""

    def get_table(self, exchange: str) -> list[Any]:
        return [filesystem.exchange_queue_t(exchange, "", exchange)]

    def _queue_bind(self, exchange: str, routing_key: str | None, pattern: str | None, queue: str) -> None:
        """Store nothing: `get_table` derives the bindings."""

    def _put(self, queue: str, message: Any, **_: Any) -> None:  # type: ignore[override]  # the name is the base's base's
        folder = self._folder()
        name = f"{monotonic_ns():020d}-{uuid4().hex}"
        unfinished = folder / f"{name}.tmp"
        unfinished.write_text(dumps(message))
        unfinished.rename(folder / f"{name}.{queue}.msg")

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        folder = self._folder()
        for name in sorted(self._messages(folder, queue)):
            payload = _take(folder / name)
            if payload is not None:
                return payload
        raise Empty

    def _size(self, queue: str) -> int:
        return sum(1 for _ in self._messages(self._folder(), queue))

    def _purge(self, queue: str) -> int:
        folder = self._folder()
        return sum(_take(folder / name) is not None for name in sorted(self._messages(folder, queue)))

    def _messages(self, folder: Path, queue: str) -> Iterator[str]:
        """Yield the names of messages; as names, because sorted paths took a fifth of the time of a submit."""
        with os.scandir(folder) as entries:
            yield from (entry.name for entry in entries if entry.name.endswith(f".{queue}.msg"))

    def _folder(self) -> Path:
        folder = Path(self.data_folder_in)
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def _take(file: Path) -> Any:
    """Read and delete a message; return None where another worker took it first, or it is not a message."""
    taken = file.with_suffix(".taken")
    try:
        file.rename(taken)  # of two workers only one succeeds
    except FileNotFoundError:
        return None
    try:
        message = loads(taken.read_text())
    except ValueError:
        message = None
    finally:
        taken.unlink(missing_ok=True)
    if isinstance(message, dict) and isinstance(message.get("properties"), dict) and "body" in message:
        return message
    log.warning("spool_garbage", file=file.name)
    return None


class Transport(filesystem.Transport):
    Channel = Channel

    def drain_events(self, connection: Any, timeout: float | None = None, **options: Any) -> Any:
        """Return within POLL_SECONDS, because Celery checks between two calls whether it should stop."""
        return super().drain_events(connection, timeout=min(timeout or POLL_SECONDS, POLL_SECONDS), **options)


TRANSPORT_ALIASES["spool"] = f"{__name__}:Transport"
