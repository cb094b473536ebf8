"""A child process ends with its parent, at once, whatever it does."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import psutil
import pytest

from service.process import parent
from tests.waiting import await_true

PARENT = """
import os, signal, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1], str(os.getpid())], stdout=subprocess.PIPE, text=True)
child.stdout.readline()
print(child.pid, flush=True)
signal.pause()
"""
BEGIN = """
import os, signal, sys, time
from service.process import parent
{before}
parent.end_with(int(sys.argv[1]))
print("ready", flush=True)
{then}
"""

Start = Callable[..., tuple[subprocess.Popen[str], psutil.Process]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a parent with a child; return both. `before` and `then` are lines of the child's program."""
    started: list[subprocess.Popen[str]] = []

    def run(before: str = "", then: str = "time.sleep(60)") -> tuple[subprocess.Popen[str], psutil.Process]:
        command = [sys.executable, "-c", PARENT, BEGIN.format(before=before, then=then)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        return process, psutil.Process(int(process.stdout.readline()))

    yield run
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


CHILDREN = {
    "asleep": {},
    "busy": {"then": "while True: pass"},
    "without the kernel": {"before": "parent._ask_kernel = lambda: False"},
    "replaced by another program": {
        "then": "os.execv(sys.executable, [sys.executable, '-c', 'import time; time.sleep(60)'])"
    },
    "deaf to SIGTERM": {"before": "signal.signal(15, lambda *_: None); parent.GRACE_SECONDS = 0.5"},
}


@pytest.mark.parametrize("child", CHILDREN)
def test_child_ends_at_once_when_its_parent_is_killed(start: Start, child: str) -> None:
    if child.startswith("replaced") and sys.platform != "linux":
        pytest.skip("only Linux remembers its request over an exec")
    supervisor, process = start(**CHILDREN[child])
    supervisor.kill()
    supervisor.wait()
    await_true(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE, seconds=5, every=0.02)


def test_end_with_ends_a_child_whose_parent_has_ended_before(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = 2**22 + 1  # above the largest process id
    command = [sys.executable, "-c", BEGIN.format(before="", then="time.sleep(60)"), str(gone)]
    assert subprocess.run(command, stdout=subprocess.DEVNULL, timeout=30).returncode == -signal.SIGTERM


def test_end_with_none_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parent, "_ask_kernel", lambda: pytest.fail("asked"))
    parent.end_with(None)
    assert os.getppid() > 0
