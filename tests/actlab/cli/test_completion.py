"""Ids and names that a shell completes, as bash asks for them."""

import socket
import time
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from actlab.cli import completion
from actlab.cli.main import app
from service.storage.engine.database import Database
from tests.actlab.cli.conftest import Run
from tests.api import states


def completions(*words: str) -> list[str]:
    """Return what bash offers for the last word."""
    asked = {
        "_ACTLAB_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(["actlab", *words]),
        "COMP_CWORD": str(len(words)),
    }
    result = CliRunner().invoke(app, prog_name="actlab", env=asked)
    assert result.stderr == ""
    return result.stdout.split()


@states.on_sqlite
def test_completion_offers_ids_and_names_of_the_service(
    run: Run, database: Database, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completion, "SECONDS", 30.0)  # the first answer of an app takes longer on a loaded machine
    id = str(states.queue(database))
    study = run("study", "submit", "-", input='{"base": {"activation": "relu"}, "seeds": [0]}').stdout.strip()
    assert id in completions("experiment", "show", "")
    assert completions("experiment", "cancel", id[:35]) == [id]
    assert completions("study", "show", "") == [study]
    assert completions("--url", url, "open", study[:30])[0].startswith(study[:30])
    assert completions("activation", "show", "swi") == ["swish", "swish2"]


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A service that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv("ACTLAB_URL", f"http://127.0.0.1:{listener.getsockname()[1]}")
        yield


@pytest.mark.usefixtures("silent")
def test_completion_gives_a_silent_service_less_than_a_second() -> None:
    begun = time.monotonic()
    assert completions("experiment", "show", "") == []
    assert time.monotonic() - begun < 1.5  # of a loaded machine


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "nonsense", "http://["], ids=["closed", "no URL", "broken"])
def test_completion_of_no_service_is_empty(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACTLAB_URL", url)
    assert completions("study", "show", "") == []
