"""The README shows requests, targets and commands as they are."""

import json
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from actlab.cli.main import app
from tests.stack.services import Service
from tests.waiting import await_true

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def block_of(language: str) -> str:
    (block,) = re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    return str(block)


def assert_contains(answer: Any, part: Any) -> None:
    if isinstance(part, dict):
        for name, value in part.items():
            assert_contains(answer[name], value)
    else:
        assert answer == part


@pytest.mark.slow
@pytest.mark.parametrize("make_service", ["embedded"], indirect=True)
def test_readme_shows_the_answer_of_its_request(make_service: Callable[..., Service]) -> None:
    service = make_service()
    service.run("db", "upgrade")
    service.launch("serve")  # without a worker, which might be faster than the answer
    await_true(service.client.healthy)
    command = shlex.split(
        block_of("console").removeprefix("$ ").replace("\\\n", " ").replace(":8000", f":{service.port}")
    )
    assert command[0] == "curl"
    answer = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    promised = json.loads(block_of("json"))
    assert answer.pop("id") != promised.pop("id")
    promised.pop("waiting_reason")  # there is no worker here
    assert_contains(answer, promised)


@pytest.mark.parametrize("target", re.findall(r"^\| `make (\w+)`", README, re.MULTILINE))
def test_readme_names_make_targets_that_exist(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_readme_names_commands_that_exist() -> None:
    named = {name.split()[0] for name in re.findall(r"`actlab ([a-z ]+)`", README)}
    known = {info.name or str(info.callback and info.callback.__name__) for info in app.registered_commands}
    assert named <= known | {group.name for group in app.registered_groups}
