"""Measure a service with keys under load: keys that send twice their limit, beside clients that send slowly.

python -m benchmarks.load [--seconds 60] [--keys 8] [--slow 100]
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import typer

from benchmarks.keys import make_keys
from benchmarks.served import Api, serving
from benchmarks.wire import hang_up, parsed, request

PER_SECOND = 10
"""The limit of a key, in requests a second. Twice as many are sent."""
IDLE_REQUESTS = 200
NOTICED_SECONDS = 1.0
MIB = 2**20


@dataclass
class Load:
    """The answers under load, and what the service was like before and after it."""

    limit: int
    idle_seconds: list[float] = field(default_factory=list)
    served_seconds: list[float] = field(default_factory=list)
    served: list[int] = field(default_factory=list)
    """The number of requests of each key that were served."""
    late_seconds: list[float] = field(default_factory=list)
    """The delays of the client's own timers, which tell how busy the machine is."""
    statuses: dict[int, int] = field(default_factory=dict)
    memory_bytes: tuple[int, int] = (0, 0)

    @property
    def idle_median(self) -> float:
        return statistics.median(self.idle_seconds)

    @property
    def p99(self) -> float:
        """The 99th percentile of the seconds of served requests, from the time at which each was due."""
        return _p99(self.served_seconds)


def _p99(seconds: Sequence[float]) -> float:
    return statistics.quantiles(seconds, n=100)[98]


def main(seconds: int = 60, keys: int = 8, slow: int = 100) -> None:
    load = measure(seconds, keys, slow)
    before, after = load.memory_bytes
    typer.echo(f"{keys} keys that send twice their limit for {seconds} s, beside {slow} slow clients")
    typer.echo(f"served of each key: {min(load.served)} to {max(load.served)} of the {load.limit} within its limit;"
               f" answers: {load.statuses}")  # fmt: skip
    typer.echo(f"idle median {load.idle_median * 1000:.1f} ms, 99 % under load {load.p99 * 1000:.1f} ms,"
               f" ratio {load.p99 / load.idle_median:.1f}; 99 % of the client's own timers are late by up to"
               f" {_p99(load.late_seconds) * 1000:.1f} ms")  # fmt: skip
    typer.echo(f"memory {before / MIB:.0f} MiB before, {after / MIB:.0f} MiB after")


def measure(seconds: int, keys: int, slow: int) -> Load:
    """Serve a database, and load it. No window of a limit may end meanwhile: at most 60 seconds."""
    load = Load(limit=PER_SECOND * seconds)
    with tempfile.TemporaryDirectory() as home, serving(Path(home), rate_per_minute=load.limit) as api:
        texts = make_keys(api, keys + 1)
        asyncio.run(_run(api, load, texts, seconds, slow))
    return load


async def _run(api: Api, load: Load, texts: Sequence[str], seconds: int, slow: int) -> None:
    await asyncio.sleep(NOTICED_SECONDS)
    first, *others = texts
    for _ in range(min(IDLE_REQUESTS, load.limit)):
        load.idle_seconds.append(await _ask_once(api, first))
    slowly = [asyncio.create_task(_send_slowly(api.port)) for _ in range(slow)]
    before = api.process.memory_info().rss
    load.served = await asyncio.gather(*(_send(api, load, text, seconds) for text in others))
    load.memory_bytes = before, api.process.memory_info().rss
    for task in slowly:
        task.cancel()
    await asyncio.gather(*slowly, return_exceptions=True)


async def _ask_once(api: Api, key: str) -> float:
    began = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    await _ask(reader, writer, api.path, key)
    await hang_up(writer)
    return time.perf_counter() - began


async def _send(api: Api, load: Load, key: str, seconds: int) -> int:
    """Send twice the limit of a key, evenly over the time. Return the number of requests that were served."""
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    began, served = time.perf_counter(), 0
    for number in range(2 * load.limit):
        due = began + number * seconds / (2 * load.limit)
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
            load.late_seconds.append(time.perf_counter() - due)
            due = time.perf_counter()  # the timer of this client was late, not the service
        status = await _ask(reader, writer, api.path, key)
        load.statuses[status] = load.statuses.get(status, 0) + 1
        if status == 200:
            served += 1
            load.served_seconds.append(time.perf_counter() - due)
    await hang_up(writer)
    return served


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, key: str) -> int:
    writer.write(request(path, f"Authorization: Bearer {key}\r\n"))
    status, answered = parsed((await reader.readuntil(b"\r\n\r\n")).decode())
    await reader.readexactly(int(answered.get("content-length", 0)))
    return status


async def _send_slowly(port: int) -> None:
    """Send a byte of a request each second, and begin anew where the server closes the connection."""
    while True:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for byte in request("/api/v1/experiments", f"X-Slow: {'x' * 1000}\r\n"):
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(1)
        except OSError:
            pass
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


if __name__ == "__main__":
    typer.run(main)
