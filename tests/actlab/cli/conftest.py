"""Fixtures of the commands' tests: commands in this process against a listening server."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from actlab.cli.main import app
from service.settings import Settings
from tests.api.serving import listening

Run = Callable[..., Any]
"""Runs a command with these words; keyword arguments are those of CliRunner.invoke."""


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    with listening(settings) as root:
        yield root


@pytest.fixture
def run(url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.setenv("ACTLAB_HOME", str(tmp_path))
    monkeypatch.setenv("ACTLAB_URL", url)
    return lambda *words, **options: CliRunner().invoke(app, words, **options)
