"""Measure polls that are answered 304, against an empty route of the same framework."""

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import typer
from fastapi import FastAPI, Response

from benchmarks.footprint import free_port
from benchmarks.served import Api, child
from benchmarks.wire import hang_up, parsed, request

CONNECTIONS = 8
ROUND_SECONDS = 2.0


def empty() -> FastAPI:
    """Return an app with an empty route, which measures the framework itself."""
    app = FastAPI()

    @app.get("/")
    async def nothing() -> Response:
        return Response()

    return app


@dataclass
class Round:
    """The seconds of each request, and the number of answers with each status."""

    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Requests per second of all connections together."""
        return len(self.seconds) / ROUND_SECONDS


async def polls(api: Api, rounds: int) -> None:
    """Measure rounds of the empty route, of an unchanged experiment, and of one that changes twice a second, in turns,
    so that other load affects all alike."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", "benchmarks.polls:empty", "--port", str(port),
               "--no-access-log", "--log-level", "error"]  # fmt: skip
    with child(command, dict(os.environ), port, "/"):
        peer, ours, busy = [], [], []
        for round in range(rounds + 1):
            measured = (await one_round(port, "/", ""), await one_round(api.port, api.path, await etag_of(api)))
            changing = asyncio.create_task(_change(api, round))
            watched = await one_round(api.port, api.path, await etag_of(api), follow=True)
            await changing
            if round:  # the first one warms up
                peer.append(measured[0])
                ours.append(measured[1])
                busy.append(watched)
    ratios = [mine.rate / theirs.rate for mine, theirs in zip(ours, peer, strict=True)]
    typer.echo(f"empty route        {_line(peer)}")
    typer.echo(f"poll answered 304  {_line(ours)}")
    typer.echo(f"poll of a changing {_line(busy)}")
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}, n = {rounds}"
    typer.echo(f"ratio of rates, pair by pair: {statistics.median(ratios):.2f} ({spread})")


def _line(rounds: Sequence[Round]) -> str:
    rate = statistics.median(round.rate for round in rounds)
    seconds = sorted(second for round in rounds for second in round.seconds)
    requests = sum(len(round.seconds) for round in rounds)
    unchanged = sum(round.statuses.get(304, 0) for round in rounds) / requests
    p50, p99 = (seconds[int(len(seconds) * share)] * 1000 for share in (0.5, 0.99))
    return f"{rate:6.0f} requests/s, median {p50:.2f} ms, 99% {p99:.2f} ms, {unchanged:.1%} are 304s"


async def _change(api: Api, round: int) -> None:
    for step in range(4):
        await asyncio.sleep(ROUND_SECONDS / 4)
        await asyncio.to_thread(api.record, round * 4 + step + 1)


async def etag_of(api: Api, headers: str = "") -> str:
    return await _poll(api.port, api.path, "", Round(), until=0.0, headers=headers)


async def one_round(port: int, path: str, etag: str, follow: bool = False, headers: str = "") -> Round:
    """Send requests for ROUND_SECONDS, one after another on each connection. `follow` sends the newest ETag."""
    answers = Round()
    until = time.perf_counter() + ROUND_SECONDS
    await asyncio.gather(*(_poll(port, path, etag, answers, until, follow, headers) for _ in range(CONNECTIONS)))
    return answers


async def _poll(
    port: int, path: str, etag: str, answers: Round, until: float, follow: bool = False, headers: str = ""
) -> str:
    """Send one request, and more until the time `until`. Return the last ETag."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    sent = etag
    while True:
        started = time.perf_counter()
        writer.write(request(path, headers + (f"If-None-Match: {sent}\r\n" if sent else "")))
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        status, answered = parsed(head)
        await reader.readexactly(int(answered.get("content-length", 0)) if status != 304 else 0)
        answers.seconds.append(time.perf_counter() - started)
        answers.statuses[status] = answers.statuses.get(status, 0) + 1
        etag = answered.get("etag", "")
        sent = etag if follow else sent
        if time.perf_counter() >= until:
            await hang_up(writer)
            return etag
