"""Logging of a process."""

import io

import pytest

from service.access.keys import generate
from service.process.log import Forgiving


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
