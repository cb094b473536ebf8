"""Logging of a process."""

import io
import json
import subprocess
import sys
from typing import Any

import pytest

from service.access.keys import generate
from service.process.log import Forgiving
from tests.conftest import ROOT


class FullDisk(io.StringIO):
    """A stream on a disk without space."""

    def write(self, text: str) -> int:
        raise OSError("No space left on device")

    def flush(self) -> None:
        raise OSError("No space left on device")


def test_forgiving_passes_text_on() -> None:
    stream = io.StringIO()
    assert Forgiving(stream).write("a line\n") == 7
    assert stream.getvalue() == "a line\n"


@pytest.mark.defends("leak")
def test_forgiving_hides_secrets_of_keys() -> None:
    stream = io.StringIO()
    key = generate()
    Forgiving(stream).write(f"request_failed path=/api/v1/{key.text}\n")
    assert stream.getvalue() == f"request_failed path=/api/v1/actlab_{key.id}_...\n"


def test_forgiving_drops_lines_on_a_full_disk() -> None:
    stream = Forgiving(FullDisk())
    assert stream.write("a line\n") == 0
    stream.flush()


@pytest.mark.defends("leak")
@pytest.mark.parametrize("url", ["postgresql+psycopg://actlab:se/cret@db/actlab", "redis://:secret@broker:6379/0"])
def test_forgiving_hides_passwords_of_urls(url: str) -> None:
    stream = io.StringIO()
    Forgiving(stream).write(f"away url={url} next=1\n")
    assert "cret@" not in stream.getvalue()
    assert stream.getvalue().endswith(f":...@{url.rpartition('@')[2]} next=1\n")


# --- the form --------------------------------------------------------------------------------------------------------

PROGRAM = """
import logging, sys
import structlog
from structlog.contextvars import bound_contextvars
from service.process import log

log.configure("info", sys.argv[1])
log.identify(worker="w1")
own = structlog.get_logger("own")
with bound_contextvars(experiment="e1", attempt=2):
    own.info("claimed", path="a\\nb")
    logging.getLogger("uvicorn.error").warning("bound %s", 8000)
own.debug("hidden")
logging.getLogger("celery").info("hidden")
try:
    secret = "of a local variable"
    1 / 0
except ZeroDivisionError:
    own.exception("failed", key=sys.argv[2])
    logging.getLogger("celery").exception("failed too")
"""


def logged(form: str, key: str = "") -> str:
    command = [sys.executable, "-c", PROGRAM, form, key]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stderr


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("form", ["json", "auto"])
def test_configure_writes_one_object_a_line_where_stderr_is_no_terminal(form: str) -> None:
    first, foreign, failed, foreign_failed = records(logged(form))
    assert first.pop("timestamp").endswith("Z")
    bound = {"worker": "w1", "experiment": "e1", "attempt": 2}
    assert first == {"event": "claimed", "level": "info", "path": "a\nb", **bound}
    assert foreign.pop("timestamp").endswith("Z")
    assert foreign == {"event": "bound 8000", "level": "warning", "logger": "uvicorn.error", **bound}
    for record in (failed, foreign_failed):
        assert record["exception"].endswith("ZeroDivisionError: division by zero")
        assert record["worker"] == "w1"
        assert "experiment" not in record


def test_configure_writes_text_for_people() -> None:
    text = logged("console")
    assert "[info     ] claimed" in text
    assert "bound 8000" in text
    assert text.count("ZeroDivisionError: division by zero") == 2
    with pytest.raises(json.JSONDecodeError):
        records(text)


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.defends("leak")
def test_configure_lets_no_secret_through(form: str) -> None:
    key = generate()
    text = logged(form, key.text)
    assert key.text not in text
    assert f"actlab_{key.id}_..." in text
    assert "of a local variable" not in text.replace('secret = "of a local variable"', "")
