"""HTTP/1.1 of one connection, whose requests arrive in time and have heads of a bounded size."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

REQUEST_SECONDS = 60.0
"""The longest time from the connection, or from the first byte of a later request, to a request's end. uvicorn itself
closes connections that are idle between two requests, after 5 seconds."""
MOST_HEAD_BYTES = 65_536


class BoundedProtocol(HttpToolsProtocol):
    """The protocol of uvicorn that closes connections which send no whole request in REQUEST_SECONDS, or too long a
    head."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._is_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._request_ended()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._deadline is None:
            self._await_request()
        super().data_received(data)
        if self._is_head:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
                self.send_400_response(f"The head of the request is longer than {MOST_HEAD_BYTES} bytes.")

    def on_message_begin(self) -> None:
        self._head_bytes, self._is_head = 0, True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._is_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._request_ended()
        super().on_message_complete()

    def _await_request(self) -> None:
        self._deadline = self.loop.call_later(REQUEST_SECONDS, self.transport.close)

    def _request_ended(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
