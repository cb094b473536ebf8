"""The log file of an attempt."""

from pathlib import Path
from uuid import UUID

from service.process import attempt_log
from service.process.attempt_log import TAIL_BYTES


def test_path_names_the_experiment_and_the_attempt(tmp_path: Path) -> None:
    id = UUID(int=1)
    assert attempt_log.path(tmp_path, id, 2) == tmp_path / str(id) / "2.log"


def test_tail_of_a_missing_file_is_empty(tmp_path: Path) -> None:
    assert attempt_log.tail(tmp_path / "none.log") == ""


def test_tail_of_a_short_file_is_all_of_it(tmp_path: Path) -> None:
    (tmp_path / "1.log").write_text("one\ntwo\n")
    assert attempt_log.tail(tmp_path / "1.log") == "one\ntwo\n"


def test_tail_of_a_long_file_starts_with_a_line(tmp_path: Path) -> None:
    (tmp_path / "1.log").write_text("".join(f"line {number}\n" for number in range(10_000)))
    tail = attempt_log.tail(tmp_path / "1.log")
    assert TAIL_BYTES - 20 < len(tail) <= TAIL_BYTES
    assert tail.startswith("line ")
    assert tail.endswith("\nline 9999\n")


def test_tail_is_text_that_a_database_takes(tmp_path: Path) -> None:
    (tmp_path / "1.log").write_bytes(b"a\0b\xff\n")
    assert attempt_log.tail(tmp_path / "1.log") == "ab�\n"
