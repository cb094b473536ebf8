"""The HTTP server of one API process."""

import gc
import socket
import sys
from contextlib import suppress

import uvicorn
from fastapi import FastAPI

from service.settings import Settings


def serve(api: FastAPI, settings: Settings) -> None:
    """Serve until a signal says stop. Exits with a status that is not 0 where starting fails."""
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
    settle()
    with suppress(KeyboardInterrupt):  # raised again by the server when it has stopped
        server.run()
    if not server.started:
        sys.exit(1)


def settle() -> None:
    """Keep what is loaded by now out of all further garbage collections. A full one goes through everything that lives,
    and while it does, no request is served: 0.1 s of all that is imported."""
    gc.collect()
    gc.freeze()


class Server(uvicorn.Server):
    """Ends streams of events and waiting requests before it waits for its connections, which would not end."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.config.app.state.services.feed.close()  # type: ignore[union-attr]  # typed as any ASGI app
        await super().shutdown(sockets)
