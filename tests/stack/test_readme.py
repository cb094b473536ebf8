"""The README shows requests, targets and commands as they are."""

import json
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import pytest
from matplotlib import pyplot

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


TINY = 'preset="quick", base={"train_samples": 400, "epochs": 1, "model": {"conv_channels": [2, 2], "dense_units": 4}}'
"""The preset of the snippet with a smaller network, so that the test takes seconds and not minutes."""


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("make_service", ["embedded"], indirect=True)
def test_readme_and_guide_show_the_python_client(
    service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    matplotlib.use("agg")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ACTLAB_URL", f"http://127.0.0.1:{service.port}")
    snippet = block_of("python")
    assert 'preset="quick"' in snippet
    names: dict[str, Any] = {}
    exec(snippet.replace('preset="quick"', TINY), names)
    comparison, study = names["comparison"], names["study"]
    assert (study.experiments, study.progress["succeeded"]) == (25, 25)
    assert len(comparison.to_pandas()) == 5
    assert {pair["verdict"] for pair in comparison.pairs} <= {"better", "worse", "equivalent", "undecided"}
    assert "(reference)" in repr(comparison)
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")
    assert "25/25" in capsys.readouterr().err
    names["client"].close()  # the guide makes one of its own
    guide = (ROOT / "docs" / "client.md").read_text().replace('{"preset": "quick"}', f"dict({TINY})")
    for block in re.findall(r"^```python\n(.*?)^```", guide, re.MULTILINE | re.DOTALL):
        exec(block, names)
    names["client"].close()
    pyplot.close("all")
    assert {"loss.png", "last.safetensors"} <= {file.name for file in tmp_path.iterdir()}
    assert "/epochs Should be greater than or equal to 1, got 0" in capsys.readouterr().out


@pytest.mark.parametrize("target", re.findall(r"^\| `make (\w+)`", README, re.MULTILINE))
def test_readme_names_make_targets_that_exist(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_readme_names_commands_that_exist() -> None:
    named = {name.split()[0] for name in re.findall(r"`actlab ([a-z ]+)`", README)}
    known = {info.name or str(info.callback and info.callback.__name__) for info in app.registered_commands}
    assert named <= known | {group.name for group in app.registered_groups}
