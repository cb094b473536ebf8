"""Measure polls that are answered 304, against an empty route of the same framework, and many listeners.

python -m benchmarks.live [--rounds 7] [--listeners 300] [--epochs 20] [--database URL]
"""

import asyncio
import tempfile
from pathlib import Path

import typer

from benchmarks.listeners import listen
from benchmarks.polls import polls
from benchmarks.served import serving


def main(rounds: int = 7, listeners: int = 300, epochs: int = 20, database: str = "") -> None:
    with tempfile.TemporaryDirectory() as home, serving(Path(home), database) as api:
        asyncio.run(polls(api, rounds))
        delays = asyncio.run(listen(api, listeners, epochs))
        typer.echo(delays.report())


if __name__ == "__main__":
    typer.run(main)
