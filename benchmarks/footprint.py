"""Measure an idle service: seconds until the API answers and a worker takes work, memory, and processor time.

python -m benchmarks.footprint [--seconds 60]
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import psutil
import typer

from actlab.client import Client

SETTLE_SECONDS = 10.0


def main(seconds: float = 60.0) -> None:
    with tempfile.TemporaryDirectory() as home:
        port = free_port()
        environment = os.environ | {"ACTLAB_HOME": home, "ACTLAB_PORT": str(port), "ACTLAB_LOG_LEVEL": "error"}
        started = time.monotonic()
        up = subprocess.Popen([sys.executable, "-m", "actlab", "up"], env=environment, stderr=subprocess.DEVNULL)
        try:
            with Client(f"http://127.0.0.1:{port}") as client:
                wait_for(client.healthy)
                typer.echo(f"API answers {time.monotonic() - started:.1f} s after `actlab up`, migration included")
                wait_for(client.workers)
                typer.echo(f"a worker takes work {time.monotonic() - started:.1f} s after `actlab up`")
                report(psutil.Process(up.pid), seconds)
        finally:
            up.terminate()
            up.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(condition: Callable[[], object]) -> None:
    while not condition():
        time.sleep(0.05)


def report(supervisor: psutil.Process, seconds: float) -> None:
    children = {"supervisor": supervisor}
    for child in supervisor.children():
        name = child.cmdline()[3]
        children |= {name: child} | {f"{name} {place}": forked for place, forked in enumerate(child.children(), 1)}
    time.sleep(SETTLE_SECONDS)
    before = {name: used(process) for name, process in children.items()}
    time.sleep(seconds)
    for name, process in children.items():
        share = (used(process) - before[name]) / seconds
        memory = process.memory_full_info()
        size = f"{memory.rss / 2**20:6.0f} MiB resident ({memory.pss / 2**20:.0f} with its share of shared pages)"
        typer.echo(f"{name:<11} {size}, {share:.2%} of a core over {seconds:g} s")


def used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    typer.run(main)
