"""The sockets of the API: one for each address of the host, and one line where the port is taken."""

import socket
import sys
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from service.api.sockets import bound
from service.domain.errors import ConfigurationError
from service.settings import Settings


@pytest.fixture
def taken() -> Iterator[int]:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_bound_sockets_name_their_protocol(host: str) -> None:
    """Only then asyncio sets TCP_NODELAY on their connections."""
    (sockets,) = bound(Settings(host=host, port=0, insecure=True, api_processes=1))
    try:
        assert {own.proto for own in sockets} == {socket.IPPROTO_TCP}
        assert sockets[0].getsockname()[1] > 0
    finally:
        for own in sockets:
            own.close()


def test_bound_refuses_a_port_that_is_taken(taken: int) -> None:
    with pytest.raises(ConfigurationError, match=rf"port {taken} of 127\.0\.0\.1: Address already in use"):
        bound(Settings(port=taken))


def test_bound_refuses_a_host_without_an_address() -> None:
    with pytest.raises(ConfigurationError, match=r"no-such-host\.invalid"):
        bound(Settings(host="no-such-host.invalid", insecure=True))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not spread connections")
def test_bound_spreads_connections_over_processes() -> None:
    processes = bound(Settings(port=0, api_processes=2))
    sockets = [own for of_process in processes for own in of_process]
    try:
        port = sockets[0].getsockname()[1]
        with pytest.raises(ConfigurationError, match="in use"):
            bound(Settings(port=port, api_processes=2))
        for own in sockets:
            own.listen()
            own.setblocking(False)
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
        accepted = [len(list(_accepted(own))) for own in sockets]
        for client in clients:
            client.close()
        assert sum(accepted) == 40
        assert min(accepted) >= 5
    finally:
        for own in sockets:
            own.close()


def _accepted(listener: socket.socket) -> Iterator[None]:
    with suppress(BlockingIOError):
        while True:
            listener.accept()[0].close()
            yield
