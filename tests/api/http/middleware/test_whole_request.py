"""WholeRequest: a client that is still sending gets the answer, not a reset connection."""

import json
import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest

from service.api.http.middleware import whole_request
from service.settings import Settings
from tests.api import states
from tests.api.serving import EXPERIMENTS, listening

SIZE = 3 * 2**20
JSON = "Content-Type: application/json"


@pytest.fixture
def port(settings: Settings) -> Iterator[int]:
    with listening(settings) as url:
        yield int(url.rpartition(":")[2])


def exchange(port: int, first: str, body: bytes, *headers: str) -> tuple[int, dict[str, str]]:
    """Send a whole request before the answer is read, as most clients do; return the status and the problem.

    The request asks for the connection to be closed, as those of urllib and of HTTP/1.0 do.
    """
    head = [f"{first} HTTP/1.1", *([] if any("Host" in line for line in headers) else [f"Host: 127.0.0.1:{port}"])]
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall("\r\n".join([*head, "Connection: close", *headers, "", ""]).encode())
        for start in range(0, len(body), 65_536):
            connection.sendall(body[start : start + 65_536])
        with connection.makefile("rb") as answer:
            status = int(answer.readline().split()[1])
            lines = iter(answer.readline, b"\r\n")
            sizes = [line.split()[1] for line in lines if line.lower().startswith(b"content-length")]
            return status, json.loads(answer.read(int(sizes[0])))


@pytest.mark.parametrize(
    ("first", "headers", "status", "code"),
    [
        (f"POST {EXPERIMENTS}", [JSON], 413, "body_too_large"),
        (f"POST {EXPERIMENTS}", ["Content-Type: text/plain"], 413, "body_too_large"),
        (f"POST {EXPERIMENTS}", [JSON, "Host: attacker.example"], 400, "host_not_allowed"),
        (f"POST {EXPERIMENTS}", [JSON, "Sec-Fetch-Site: cross-site"], 403, "cross_site"),
        ("PUT /healthz", [], 413, "body_too_large"),
    ],
    ids=str,
)
@states.on_sqlite
def test_whole_request_is_read_before_the_connection_closes(
    port: int, first: str, headers: list[str], status: int, code: str
) -> None:
    answer, problem = exchange(port, first, b"9" * SIZE, f"Content-Length: {SIZE}", *headers)
    assert (answer, problem["code"]) == (status, code)


@states.on_sqlite
def test_whole_request_in_chunks_is_read_before_the_connection_closes(port: int) -> None:
    chunked = (b"10000\r\n" + b"9" * 65_536 + b"\r\n") * 48 + b"0\r\n\r\n"
    answer, problem = exchange(port, f"POST {EXPERIMENTS}", chunked, JSON, "Transfer-Encoding: chunked")
    assert (answer, problem["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/healthz", 405)])
@states.on_sqlite
def test_whole_request_below_the_limit_is_read_where_no_route_reads_it(port: int, path: str, status: int) -> None:
    body = b"9" * 900_000
    assert exchange(port, f"POST {path}", body, f"Content-Length: {len(body)}")[0] == status


@states.on_sqlite
def test_whole_request_keeps_the_connection(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        for _ in range(2):
            head = f"POST {EXPERIMENTS} HTTP/1.1\r\nHost: localhost\r\n{JSON}\r\nContent-Length: {SIZE}\r\n\r\n"
            connection.sendall(head.encode() + b"9" * SIZE)
            with connection.makefile("rb") as answer:
                assert b" 413 " in answer.readline()
                length = next(line for line in iter(answer.readline, b"\r\n") if b"content-length" in line.lower())
                for _ in iter(answer.readline, b"\r\n"):
                    pass
                answer.read(int(length.split()[1]))


@pytest.mark.parametrize("bound", ["MOST_BYTES", "LONGEST_SECONDS"])
@pytest.mark.parametrize("length", [f"Content-Length: {10**12}", "Transfer-Encoding: chunked"])
@states.on_sqlite
def test_whole_request_is_bounded(port: int, monkeypatch: pytest.MonkeyPatch, bound: str, length: str) -> None:
    monkeypatch.setattr(whole_request, bound, 1)
    size = 2 * 2**20
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        head = f"POST {EXPERIMENTS} HTTP/1.1\r\nHost: localhost\r\n{JSON}\r\n{length}\r\n\r\n"
        connection.sendall(head.encode() + b"200000\r\n" + b"9" * size)
        with connection.makefile("rb") as answer:
            assert b" 413 " in answer.readline()
            with suppress(ConnectionResetError):  # closed in either way, and not read for ever
                answer.read()


@states.on_sqlite
def test_whole_request_answers_a_client_that_asks_before_it_sends(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        head = f"POST {EXPERIMENTS} HTTP/1.1\r\nHost: localhost\r\n{JSON}\r\nContent-Length: {SIZE}\r\n"
        connection.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        with connection.makefile("rb") as answer:
            assert b" 413 " in answer.readline()
