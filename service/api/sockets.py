"""The sockets on which the processes of an API listen."""

import errno
import socket
import sys
from typing import Any

from service.domain.errors import ConfigurationError
from service.settings import Settings

ABSENT = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)
"""The errors of an address that this machine does not have, such as ::1 of localhost without IPv6."""


def bound(settings: Settings) -> list[list[socket.socket]]:
    """Return the bound sockets of each API process, one for each address of the host. Raises ConfigurationError.

    The sockets of several processes share their port, and Linux spreads connections over them (SO_REUSEPORT). On one
    socket that all inherit, whoever wakes first accepts them: of 16 connections that came at once, one of two processes
    got 15 or 16. Other systems do not spread them, and get that one.
    """
    try:
        # First alone, so that it is an error where another service has the port, whose sockets might be shared too.
        sockets = _bound(settings.host, settings.port)
        if settings.processes == 1 or sys.platform != "linux":
            return [sockets] * settings.processes
        return _shared(sockets, settings.processes)
    except OSError as error:
        where = f"port {settings.port} of {settings.host}"
        raise ConfigurationError(
            f"The API cannot use {where}: {error.strerror}. Set ACTLAB_PORT to another port."
        ) from error


def _shared(sockets: list[socket.socket], processes: int) -> list[list[socket.socket]]:
    """Bind the addresses of sockets again, for each of several processes."""
    addresses = [(own.family, own.type, own.proto, own.getsockname()) for own in sockets]
    for own in sockets:
        own.close()
    shared = [[_socket(*address, is_shared=True) for address in addresses] for _ in range(processes)]
    for own in shared[0]:
        own.listen()  # from now on another service cannot bind the port
    return shared


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


def _socket(family: int, kind: int, protocol: int, address: Any, *, is_shared: bool = False) -> socket.socket:
    # With the protocol named: asyncio sets TCP_NODELAY only on connections of such a socket. Without it the body of an
    # answer, which is written after its head, waits 40 ms for the client's acknowledgement of the head.
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if is_shared:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made
