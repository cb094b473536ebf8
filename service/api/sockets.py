"""The sockets on which all processes of an API listen."""

import errno
import socket
from typing import Any

from service.domain.errors import ConfigurationError
from service.settings import Settings

ABSENT = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)
"""The errors of an address that this machine does not have, such as ::1 of localhost without IPv6."""


def bound(settings: Settings) -> list[socket.socket]:
    """Return a bound socket for each address of the host, as asyncio would bind it. Raises ConfigurationError.

    Processes share these sockets, and not the port (SO_REUSEPORT): one that hangs accepts nothing, and the others take
    its connections; and a second service on the port is an error.
    """
    try:
        return _bound(settings.host, settings.port)
    except OSError as error:
        where = f"port {settings.port} of {settings.host}"
        raise ConfigurationError(
            f"The API cannot use {where}: {error.strerror}. Set ACTLAB_PORT to another port."
        ) from error


def _bound(host: str, port: int) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    absent = None
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    for family, kind, protocol, _, address in dict.fromkeys(found):
        try:
            sockets.append(_socket(family, kind, protocol, address))
        except OSError as error:
            if error.errno not in ABSENT:
                raise
            absent = error
    if absent is not None and not sockets:
        raise absent
    return sockets


def _socket(family: int, kind: int, protocol: int, address: Any) -> socket.socket:
    # With the protocol named: asyncio sets TCP_NODELAY only on connections of such a socket. Without it the body of an
    # answer, which is written after its head, waits 40 ms for the client's acknowledgement of the head.
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made
