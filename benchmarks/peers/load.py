"""Load by wrk (https://github.com/wg/wrk), which takes little of the processors that it shares with the service."""

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import typer


@dataclass(frozen=True)
class Read:
    """A request that is repeated. With a body, it is a POST of JSON."""

    url: str
    connections: int
    body: str | None = None


def check() -> str:
    """Return the path of wrk. Raises typer.BadParameter where it is missing."""
    path = shutil.which("wrk")
    if path is None:
        raise typer.BadParameter("this benchmark needs the command wrk: apt-get install wrk")
    return path


def rate(read: Read, seconds: float) -> float:
    """Return the answers per second. Raises RuntimeError where any of them is not a success."""
    with tempfile.TemporaryDirectory() as folder:
        command = [check(), "--threads=1", f"--connections={read.connections}", f"--duration={seconds:g}s"]
        if read.body is not None:
            script = Path(folder) / "post.lua"
            script.write_text(
                f'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = [[{read.body}]]\n'
            )
            command.append(f"--script={script}")
        output = subprocess.run([*command, read.url], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        raise RuntimeError(f"{read.url} was not answered with success:\n{output}")
    found = re.search(r"Requests/sec:\s*([\d.]+)", output)
    if found is None:
        raise RuntimeError(f"wrk printed no rate:\n{output}")
    return float(found.group(1))
