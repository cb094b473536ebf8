"""The embedded broker: whole messages, each taken once, in a folder that may be deleted or hold other files."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kombu import Connection

import service.background.spool  # noqa: F401  # registers spool://


def message(number: int) -> dict[str, Any]:
    return {"body": number, "properties": {}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def channel(folder: Path) -> Any:
    options = {"data_folder_in": str(folder), "data_folder_out": str(folder)}
    return Connection("spool://localhost", transport_options=options).channel()


def test_messages_come_in_order_and_once(channel: Any, folder: Path) -> None:
    for number in range(3):
        channel._put("q", message(number))
    assert channel._size("q") == 3
    assert [channel._get("q")["body"] for _ in range(3)] == [0, 1, 2]
    with pytest.raises(Empty):
        channel._get("q")
    assert list(folder.iterdir()) == []


def test_get_leaves_messages_of_other_queues(channel: Any) -> None:
    channel._put("other", message(1))
    with pytest.raises(Empty):
        channel._get("q")
    assert channel._size("other") == 1


def test_channel_works_after_its_folder_is_deleted(channel: Any, folder: Path) -> None:
    channel._put("q", message(1))
    shutil.rmtree(folder)
    with pytest.raises(Empty):
        channel._get("q")
    channel._put("q", message(2))
    assert channel._get("q") == message(2)


def test_get_drops_garbage_and_reads_what_follows(channel: Any, folder: Path) -> None:
    folder.mkdir()
    for name, content in (
        ("0.q.msg", b""),
        ("1.q.msg", b"{"),
        ("2.q.msg", b"\xff\xfe"),
        ("3.q.msg", b"1"),
        ("4.q.msg", b"{}"),
        ("readme", b"hello"),
    ):
        (folder / name).write_bytes(content)
    channel._put("q", message(1))
    assert channel._get("q") == message(1)
    with pytest.raises(Empty):
        channel._get("q")
    assert [file.name for file in folder.iterdir()] == ["readme"]


def test_concurrent_readers_take_each_message_once(channel: Any) -> None:
    for number in range(200):
        channel._put("q", message(number))

    def drain(_: int) -> list[int]:
        taken = []
        while True:
            try:
                taken.append(channel._get("q")["body"])
            except Empty:
                return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [n for numbers in pool.map(drain, range(4)) for n in numbers]
    assert sorted(taken) == list(range(200))
