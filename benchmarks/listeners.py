"""How soon many who listen hear of an epoch."""

import asyncio
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks.served import Api
from benchmarks.wire import hang_up, parsed, request

PAUSE_SECONDS = 0.5  # between two epochs


@dataclass(frozen=True)
class Told:
    """Of each epoch: seconds from its commit until the last listener, and until the median one, had it."""

    listeners: int
    last: list[float]
    median: list[float]
    broken: int
    bytes_before: int
    bytes_first: int
    bytes_last: int

    def report(self) -> str:
        mib = [size / 2**20 for size in (self.bytes_before, self.bytes_first, self.bytes_last)]
        return (
            f"{self.listeners} listeners: an epoch is with the last of them after {max(self.last):.2f} s at most"
            f" (median {statistics.median(self.last):.2f} s, n = {len(self.last)}), with half of them after"
            f" {statistics.median(self.median):.2f} s; {self.broken} broken off;"
            f" resident {mib[0]:.0f} MiB without them, {mib[1]:.0f} with them, {mib[2]:.0f} at the end"
        )


async def listen(api: Api, listeners: int, epochs: int, first: int = 500) -> Told:
    """Let so many clients follow everything while epochs are recorded, and see when each hears of each."""
    before = api.process.memory_info().rss
    heard: list[dict[int, float]] = [{} for _ in range(listeners)]
    begun = asyncio.Semaphore(0)
    tasks = [asyncio.create_task(_listener(api, heard[number], begun)) for number in range(listeners)]
    for _ in range(listeners):
        await asyncio.wait_for(begun.acquire(), 60)
    committed: dict[int, float] = {}
    with_them = 0
    for epoch in range(first, first + epochs):
        await asyncio.to_thread(api.record, epoch)
        committed[epoch] = time.perf_counter()
        await _until(partial(_all_know, heard, epoch), 20.0)
        with_them = with_them or api.process.memory_info().rss
        await asyncio.sleep(PAUSE_SECONDS)
    broken = sum(task.done() for task in tasks)
    resident = api.process.memory_info().rss
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    took = {epoch: sorted(one.get(epoch, float("inf")) - at for one in heard) for epoch, at in committed.items()}
    last, median = [each[-1] for each in took.values()], [each[len(each) // 2] for each in took.values()]
    return Told(listeners, last, median, broken, before, with_them, resident)


async def _listener(api: Api, heard: dict[int, float], begun: asyncio.Semaphore) -> None:
    """Notes when it first hears of each epoch; ends only where the stream does."""
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    try:
        writer.write(request("/api/v1/events?kind=metrics"))
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if parsed(head)[0] != 200:
            raise RuntimeError(head)
        await reader.readuntil(b"id: ")
        begun.release()
        while True:
            await reader.readuntil(b'"epoch":')
            heard.setdefault(int((await reader.readuntil(b","))[:-1]), time.perf_counter())
    finally:
        await hang_up(writer)


def _all_know(heard: Sequence[dict[int, float]], epoch: int) -> bool:
    return all(epoch in one for one in heard)


async def _until(look: Callable[[], bool], seconds: float) -> None:
    deadline = time.perf_counter() + seconds
    while not look() and time.perf_counter() < deadline:
        await asyncio.sleep(0.005)
