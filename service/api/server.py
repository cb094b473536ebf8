"""The HTTP server of one API process."""

import gc
import socket
import sys
from contextlib import suppress

import uvicorn
from fastapi import FastAPI

from service.settings import Settings


def serve(api: FastAPI, settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM. Exits with status 1 if the server cannot start."""
    server = Server(
        uvicorn.Config(
            api,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=5,
        )
    )
    freeze_imports()
    with suppress(KeyboardInterrupt):  # raised again by the server when it has stopped
        server.run()
    if not server.started:
        sys.exit(1)


def freeze_imports() -> None:
    """Exclude all objects that exist now from further garbage collections.

    A full collection visits every live object, and no request is served while it does: 0.1 s for what is imported.
    """
    gc.collect()
    gc.freeze()


class Server(uvicorn.Server):
    """A uvicorn server that ends event streams and waiting requests before it waits for its connections to close."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.config.app.state.services.feed.close()  # type: ignore[union-attr]  # typed as any ASGI app
        await super().shutdown(sockets)
