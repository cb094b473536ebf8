"""The HTTP server of one API process."""

import gc
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

import uvicorn
from fastapi import FastAPI

from service.api.protocol import BoundedProtocol


def serve(api: FastAPI, sockets: Sequence[socket.socket], beat: Callable[[], object] = lambda: None) -> None:
    """Serve on sockets until SIGINT or SIGTERM; call `beat` ten times a second while the server answers.

    Exits with status 1 if the server cannot start.
    """
    server = Server(
        uvicorn.Config(
            api,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            http=BoundedProtocol,
            timeout_graceful_shutdown=5,
        ),
        beat,
    )
    freeze_imports()
    with suppress(KeyboardInterrupt):  # raised again by the server when it has stopped
        server.run(sockets=list(sockets))
    if not server.started:
        sys.exit(1)


OBJECTS_BETWEEN_COLLECTIONS = 20_000
"""New objects after which the youngest are collected, 700 by default: the 4,950 pairs of a comparison of 100 groups are
30,000 objects, and collecting them took a sixth of its processor time."""


def freeze_imports() -> None:
    """Exclude all objects that exist now from further garbage collections, and collect others less often.

    A full collection visits every live object, and no request is served while it does: 0.1 s for what is imported.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)


class Server(uvicorn.Server):
    """A uvicorn server that says that it answers, and that ends event streams and waiting requests before it waits for
    its connections to close."""

    def __init__(self, config: uvicorn.Config, beat: Callable[[], object] = lambda: None) -> None:
        super().__init__(config)
        self._beat = beat

    async def on_tick(self, counter: int) -> bool:
        self._beat()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.config.app.state.services.feed.close()  # type: ignore[union-attr]  # typed as any ASGI app
        await super().shutdown(sockets)
