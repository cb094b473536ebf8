"""Connections that send slowly, or too much."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from service.api import protocol
from service.api.protocol import MOST_HEAD_BYTES, BoundedProtocol

pytestmark = pytest.mark.anyio
HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body, more = body + message["body"], message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(protocol, "REQUEST_SECONDS", 0.3)
    server = uvicorn.Server(uvicorn.Config(echo, port=0, http=BoundedProtocol, lifespan="off", log_config=None))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


async def answer(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """Send parts of a request with pauses between them, and return all that arrives until the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await asyncio.sleep(pause)
    try:
        return await asyncio.wait_for(reader.read(), 3)
    except ConnectionError:  # it was closed while more was sent
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize("sent", [b"", HEAD[:20], HEAD, HEAD + b"ab"], ids=["nothing", "a part", "a head", "half"])
@pytest.mark.defends("slow")
async def test_connection_without_a_whole_request_is_closed(port: int, sent: bytes) -> None:
    assert await answer(port, sent) == b""


@pytest.mark.defends("slow")
async def test_request_that_arrives_slowly_in_all_is_not_answered(port: int) -> None:
    assert await answer(port, *(bytes([byte]) for byte in HEAD[:40]), pause=0.01) == b""


async def test_connection_serves_requests_for_longer_than_one_may_take(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(4):
        writer.write(HEAD + b"abcd")
        assert b"200 OK" in await reader.readuntil(b"abcd")
        await asyncio.sleep(0.15)
    writer.close()


@pytest.mark.defends("slow")
async def test_head_that_is_too_long_is_refused(port: int) -> None:
    line = b"X-Long: " + b"x" * 8000 + b"\r\n"
    assert b"400 Bad Request" in await answer(port, HEAD[:-2], *[line] * (MOST_HEAD_BYTES // 8000 + 1))
