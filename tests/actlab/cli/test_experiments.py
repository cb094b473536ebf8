"""`actlab experiment` against a listening server."""

import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from service.settings import Settings
from service.storage.engine.database import Database
from service.storage.queue.leases import Fence
from service.storage.records import attempts
from tests.actlab.cli.conftest import Run
from tests.api import states
from tests.api.routes.test_weights import keep
from tests.waiting import await_true

pytestmark = states.on_sqlite

CURVE = [(0.80, 0.6), (0.95, 0.2)]
"""Validation accuracy and loss of two epochs."""


def soon(work: Callable[[], Any], seconds: float = 1.0) -> None:
    """Do something in a thread while a command waits."""
    threading.Timer(seconds, work).start()


def claimed(database: Database) -> Fence:
    """Claim the experiment that a command submits."""
    (fence,) = await_true(lambda: states.claim(database), seconds=60)
    return fence


def write_log(database: Database, fence: Fence, text: str) -> None:
    with database.write("log") as session:
        attempts.keep_log(session, fence.id, fence.attempt, text)


def test_submit_prints_the_id_on_stdout_and_words_on_stderr(run: Run) -> None:
    fields = ("--set", "activation=swish", "--set", "optimizer.learning_rate=0.01", "--set", 'tags=["a"]')
    submitted = run("experiment", "submit", *fields)
    id = submitted.stdout.strip()
    assert "It is queued." in submitted.stderr
    shown = json.loads(run("experiment", "show", id, "--json").stdout)
    assert (shown["spec"]["activation"]["name"], shown["tags"]) == ("swish", ["a"])
    assert shown["spec"]["optimizer"]["learning_rate"] == 0.01


def test_submit_puts_fields_over_a_file(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "spec.json"
    file.write_text('{"activation": "relu", "epochs": 3}')
    for source, options in ((str(file), {}), ("-", {"input": file.read_text()})):
        submitted = run("--json", "experiment", "submit", source, "--set", "epochs=4", **options)
        assert json.loads(submitted.stdout)["spec"]["epochs"] == 4
        assert submitted.stderr == ""


def test_submit_waits_and_exits_with_3_for_a_failure(run: Run, database: Database) -> None:
    words = ("experiment", "submit", "--set", "activation=relu", "--wait")
    soon(lambda: states.fail(database, claimed(database)), 0)
    failed = run(*words)
    assert failed.exit_code == 3
    assert "The loss became NaN in epoch 2." in failed.stderr
    soon(lambda: states.succeed(database, claimed(database)), 0)
    assert run(*words).exit_code == 0


def test_list_prints_the_page_of_the_api_with_its_filters(run: Run, database: Database, url: str) -> None:
    ids = [str(states.queue(database, seed=seed, tags=["a"])) for seed in range(3)]
    states.queue(database, tags=["b"])
    words = ("experiment", "list", "--where", "tag=a", "--sort", "id", "--limit", "2")
    page = httpx2.get(f"{url}/api/v1/experiments?tag=a&sort=id&limit=2").json()
    assert json.loads(run(*words, "--json").stdout) == json.loads(run("--json", *words).stdout) == page
    listed = run(*words)
    assert [line.split()[0] for line in listed.stdout.splitlines()[2:]] == ids[:2]
    assert f"--cursor {page['next_cursor']}" in listed.stderr
    assert ids[2] in run(*words, "--cursor", page["next_cursor"]).stdout


def test_list_fits_80_columns_with_whole_ids(run: Run, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    id = states.trained(database, CURVE, best=2, activation={"formula": "x * tanh(softplus(x) + 1)"})
    lines = run("experiment", "list").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[2].startswith(str(id))
    assert lines[2].split()[-3:] == ["succeeded", "2/2", "0.9000"]


def test_show_and_metrics_print_figures_for_people(run: Run, database: Database, url: str) -> None:
    id = str(states.trained(database, CURVE, best=2, tags=["t"], name="[red]mine"))
    shown = run("experiment", "show", id).stdout
    for text in ("[red]mine", "succeeded", "accuracy ▁█ 0.9500", "0.9000"):
        assert text in shown
    figures = run("experiment", "metrics", id)
    assert [line.split()[:1] for line in figures.stdout.splitlines()[-2:]] == [["1"], ["2"]]
    answer = json.loads(run("experiment", "metrics", id, "--json").stdout)
    assert answer == httpx2.get(f"{url}/api/v1/experiments/{id}/metrics").json()
    assert "no finished epoch" in run("experiment", "metrics", str(states.queue(database))).stdout


def test_watch_follows_experiments_until_they_have_ended(run: Run, database: Database) -> None:
    ids = [str(states.queue(database, seed=seed)) for seed in (1, 2)]
    soon(lambda: states.finish_queued(database, lambda _: 0.9))
    watched = run("experiment", "watch", *ids)
    assert watched.exit_code == 0
    assert watched.stdout.count("succeeded") == 2


def test_watch_prints_events_as_lines_and_exits_with_3_for_a_failure(run: Run, database: Database) -> None:
    fence = states.start(database)
    soon(lambda: states.fail(database, fence))
    watched = run("experiment", "watch", str(fence.id), "--json")
    events = [json.loads(line) for line in watched.stdout.splitlines()]
    assert {event["event"] for event in events} == {"experiment"}
    assert [events[0]["data"]["status"], events[-1]["data"]["status"]] == ["running", "failed"]
    assert watched.exit_code == 3


def test_log_follows_the_newest_attempt(run: Run, database: Database) -> None:
    fence = states.start(database)
    id = str(fence.id)
    write_log(database, fence, "one\n")
    assert run("experiment", "log", id).stdout == "one\n"
    assert json.loads(run("experiment", "log", id, "--json").stdout)["items"][0]["log_tail"] == "one\n"

    def end() -> None:
        write_log(database, fence, "one\ntwo\n")
        time.sleep(1.5)
        states.succeed(database, fence)

    soon(end)
    assert run("experiment", "log", "-f", id).stdout == "one\ntwo\n"
    assert run("experiment", "log", str(states.SOME_ID)).exit_code == 1


def test_weights_writes_the_file(run: Run, database: Database, settings: Settings, tmp_path: Path) -> None:
    id = states.finish(database)
    keep(database, settings, id)
    file = tmp_path / "copy.safetensors"
    written = run("experiment", "weights", str(id), str(file), "--best")
    assert (written.exit_code, written.stdout) == (0, "")
    assert file.read_bytes() == b"best" * 1000


def test_tag_and_note_change_what_they_name(run: Run, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    id = str(states.queue(database, tags=["a", "b"]))
    assert run("experiment", "tag", id, "--add", "c", "--remove", "a").stdout.split() == ["b", "c"]
    assert run("experiment", "tag", id).stdout.split() == ["b", "c"]
    assert run("experiment", "note", id, "a [b]").stdout == "a [b]\n"
    assert run("experiment", "note", id, "-", input="from stdin\n").stdout == "from stdin\n"
    monkeypatch.setenv("VISUAL", f"{sys.executable} -c \"import sys; open(sys.argv[1], 'a').write(' and more')\"")
    assert json.loads(run("experiment", "note", id, "--edit", "--json").stdout)["notes"] == "from stdin and more"
    monkeypatch.setenv("VISUAL", "/nowhere/editor")
    assert run("experiment", "note", id, "--edit").exit_code == 2


def test_archive_hides_experiments_until_they_are_restored(run: Run, database: Database) -> None:
    id, waits = str(states.finish(database)), str(states.queue(database))
    assert run("experiment", "archive", "--where", "activation=relu").output == "1 experiment is archived.\n"
    assert [item["id"] for item in json.loads(run("experiment", "list", "--json").stdout)["items"]] == [waits]
    assert run("experiment", "restore", id, "--dry-run").output == "1 experiment would be restored.\n"
    assert run("experiment", "restore", id).output == "1 experiment is restored.\n"
    assert len(json.loads(run("experiment", "list", "--json").stdout)["items"]) == 2
