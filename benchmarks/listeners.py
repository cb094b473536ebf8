"""Measure the delay until an epoch reaches many listeners of the event stream."""

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
class Delays:
    """The delays of each epoch: seconds from its commit until the last and the median listener has received it."""

    listeners: int
    last: list[float]
    median: list[float]
    broken: int  # streams that ended early
    bytes_before: int  # resident memory of the API without listeners
    bytes_first: int  # after the first epoch
    bytes_last: int  # after the last epoch

    def report(self) -> str:
        mib = [size / 2**20 for size in (self.bytes_before, self.bytes_first, self.bytes_last)]
        return (
            f"{self.listeners} listeners: an epoch is with the last of them after {max(self.last):.2f} s at most"
            f" (median {statistics.median(self.last):.2f} s, n = {len(self.last)}), with half of them after"
            f" {statistics.median(self.median):.2f} s; {self.broken} broken off;"
            f" resident {mib[0]:.0f} MiB without them, {mib[1]:.0f} with them, {mib[2]:.0f} at the end"
        )


async def listen(api: Api, listeners: int, epochs: int, first: int = 500) -> Delays:
    """Record epochs while `listeners` clients follow the event stream, and measure when each client receives each."""
    before = api.process.memory_info().rss
    received: list[dict[int, float]] = [{} for _ in range(listeners)]
    connected = asyncio.Semaphore(0)
    tasks = [asyncio.create_task(_listener(api, received[number], connected)) for number in range(listeners)]
    for _ in range(listeners):
        await asyncio.wait_for(connected.acquire(), 60)
    committed: dict[int, float] = {}
    resident_first = 0
    for epoch in range(first, first + epochs):
        await asyncio.to_thread(api.record, epoch)
        committed[epoch] = time.perf_counter()
        await _until(partial(_all_received, received, epoch), 20.0)
        resident_first = resident_first or api.process.memory_info().rss
        await asyncio.sleep(PAUSE_SECONDS)
    broken = sum(task.done() for task in tasks)
    resident = api.process.memory_info().rss
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    delays = [sorted(times.get(epoch, float("inf")) - at for times in received) for epoch, at in committed.items()]
    last, median = [ordered[-1] for ordered in delays], [ordered[len(ordered) // 2] for ordered in delays]
    return Delays(listeners, last, median, broken, before, resident_first, resident)


async def _listener(api: Api, received: dict[int, float], connected: asyncio.Semaphore) -> None:
    """Follow the event stream until it ends, and record the time at which each epoch is first received."""
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    try:
        writer.write(request("/api/v1/events?kind=metrics"))
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if parsed(head)[0] != 200:
            raise RuntimeError(head)
        await reader.readuntil(b"id: ")
        connected.release()
        while True:
            await reader.readuntil(b'"epoch":')
            received.setdefault(int((await reader.readuntil(b","))[:-1]), time.perf_counter())
    finally:
        await hang_up(writer)


def _all_received(received: Sequence[dict[int, float]], epoch: int) -> bool:
    return all(epoch in times for times in received)


async def _until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.perf_counter() + seconds
    while not condition() and time.perf_counter() < deadline:
        await asyncio.sleep(0.005)
