"""Measure polls that are answered 304 by a service with keys, against those of an open one, in turns.

python -m benchmarks.keys [--rounds 7]
"""

import asyncio
import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path

import typer

from benchmarks.polls import etag_of, one_round
from benchmarks.served import Api, serving
from service.access.keys import generate
from service.access.roles import Role
from service.storage.records import keys

KEYS = 100
NOTICED_SECONDS = 1.0


def main(rounds: int = 7) -> None:
    with ExitStack() as running:
        homes = [Path(running.enter_context(tempfile.TemporaryDirectory())) for _ in range(2)]
        open_api, keyed = (running.enter_context(serving(home)) for home in homes)
        headers = f"Authorization: Bearer {make_keys(keyed, KEYS)[0]}\r\n"
        ratios = asyncio.run(_compare(open_api, keyed, headers, rounds))
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}, n = {rounds}"
    typer.echo(f"processor time of a poll with one of {KEYS} keys, times that of an open service, pair by pair:"
               f" {statistics.median(ratios):.2f} ({spread})")  # fmt: skip


def make_keys(api: Api, number: int) -> list[str]:
    """Make the keys of a service, and return their texts."""
    made = [generate() for _ in range(number)]
    with api.database.write("keys") as session:
        for key in made:
            keys.create(session, "console", key, key.id, Role.VIEWER, None)
    return [key.text for key in made]


async def _compare(open_api: Api, keyed: Api, headers: str, rounds: int) -> list[float]:
    """Return the ratio of the processor times of a request in each pair of rounds, which other load disturbs little."""
    await asyncio.sleep(NOTICED_SECONDS)
    ratios = []
    for round in range(rounds + 1):
        first, second = await _cost(open_api), await _cost(keyed, headers)
        if round:  # the first one warms up
            ratios.append(second / first)
    return ratios


async def _cost(api: Api, headers: str = "") -> float:
    """Return the processor time of the service for a poll, in seconds."""
    etag, before = await etag_of(api, headers), _processor_seconds(api)
    answers = await one_round(api.port, api.path, etag, headers=headers)
    assert set(answers.statuses) == {304}
    return (_processor_seconds(api) - before) / len(answers.seconds)


def _processor_seconds(api: Api) -> float:
    times = api.process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    typer.run(main)
