"""The sockets of the API: one for each address of the host, and one line where the port is taken."""

import socket
from collections.abc import Iterator
from contextlib import closing

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
    sockets = bound(Settings(host=host, port=0, insecure=True))
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
