"""Commands about activations, workers, the audit, and any record, against a listening server."""

import json
import webbrowser

import httpx2
import pytest

from service.storage.engine.database import Database
from tests.actlab.cli.conftest import Run
from tests.api import states

pytestmark = states.on_sqlite


def test_activation_commands_register_show_and_archive_a_formula(run: Run, url: str) -> None:
    definition = ("x * tanh(a * x)", "--parameter", "a=2,learnable", "--note", "tried")
    assert "version 1" in run("activation", "register", "mine", *definition).stderr
    assert run("activation", "register", "mine", *definition).exit_code == 1
    second = run("activation", "register", "mine", "x * tanh(x)", "--new-version", "--json")
    assert json.loads(second.stdout)["version"] == 2
    shown = json.loads(run("activation", "show", "mine", "--version", "1", "--json").stdout)
    assert shown == httpx2.get(f"{url}/api/v1/activations/mine?version=1").json()
    assert shown["parameters"][0] == {**shown["parameters"][0], "name": "a", "default": 2.0, "learnable": True}
    assert "mine" in run("activation", "list").stdout
    assert "is archived" in run("activation", "archive", "mine").stderr
    assert "mine" not in run("activation", "list").stdout
    assert "mine (archived)" in run("activation", "list", "--archived").stdout


def test_activation_show_and_preview_draw_f_and_its_derivative(run: Run) -> None:
    shown = run("activation", "show", "relu", "--plot").stdout
    assert "0 to ∞" in shown
    assert "━ f(x)" in shown
    assert any(0x2800 < ord(character) < 0x2900 for character in shown)
    assert "━" not in run("activation", "show", "relu").stdout
    preview = run("activation", "preview", "x * sigmoid(a * x)", "--parameter", "a=1", "--plot").stdout
    assert "a = 1" in preview
    assert "━ f(x)" in preview
    assert run("activation", "preview", "x +").exit_code == 1
    assert run("activation", "preview", "a * x", "--parameter", "a=1,trained").exit_code == 2


def test_worker_list_and_queue_print_what_the_api_says(run: Run, database: Database, url: str) -> None:
    assert "No worker has reported" in run("worker", "list").stdout
    states.heartbeat(database, "worker-7")
    states.queue(database)
    listed = json.loads(run("worker", "list", "--json").stdout)["items"]
    assert [worker["id"] for worker in listed] == ["worker-7"]
    assert "worker-7" in run("worker", "list").stdout
    assert "queued" in run("queue").stdout
    assert json.loads(run("queue", "--json").stdout)["by_priority"] == {"0": 1}


def test_audit_lists_changes_that_match_its_filters(run: Run, url: str) -> None:
    run("activation", "register", "mine", "x * tanh(x)")
    run("activation", "archive", "mine")
    entries = json.loads(run("audit", "--action", "archive_activation", "--json").stdout)
    assert entries == httpx2.get(f"{url}/api/v1/audit?action=archive_activation").json()
    assert len(entries["items"]) == 1
    assert "archive_activation" in run("audit").stdout
    assert json.loads(run("audit", "--until", "2020-01-01", "--json").stdout)["items"] == []
    first = run("audit", "--limit", "1")
    assert "--cursor" in first.stderr


def test_diff_prints_the_fields_that_differ(run: Run, database: Database) -> None:
    a = str(states.finish(database, 0.9, seed=1, epochs=3))
    b = str(states.finish(database, 0.8, seed=1, epochs=5))
    differences = json.loads(run("diff", a, b, "--json").stdout)["differences"]
    assert differences["spec.epochs"] == [3, 5]
    assert differences["test_accuracy"] == [0.9, 0.8]
    assert "spec.seed" not in differences
    assert "spec.epochs" in run("diff", a, b).stdout
    assert "do not differ" in run("diff", a, a).stdout
    study = run("study", "submit", "-", input='{"base": {"activation": "relu"}, "seeds": [0]}').stdout.strip()
    other = run("study", "submit", "-", input='{"base": {"activation": "tanh"}, "seeds": [0]}').stdout.strip()
    assert "base.activation" in run("diff", study, other).stdout
    assert run("diff", a, study).exit_code == 2


def test_open_finds_the_page_of_an_id(run: Run, database: Database, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def without_browser(address: str) -> bool:
        opened.append(address)
        return False

    monkeypatch.setattr(webbrowser, "open", without_browser)
    id = str(states.queue(database))
    study = run("study", "submit", "-", input='{"base": {"activation": "relu"}}').stdout.strip()
    addresses = [url, f"{url}/experiments/{id}", f"{url}/studies/{study}"]
    assert [run("open", *words).stdout.strip() for words in ([], [id], [study])] == addresses
    assert opened == addresses
    assert run("open", "--print", study).stdout.strip() == addresses[2]
    assert len(opened) == 3
    assert run("open", str(states.SOME_ID)).exit_code == 1


def test_study_commands_print_curves_claims_and_links(run: Run, database: Database, url: str) -> None:
    id = run("study", "submit", "-", input='{"factors": {"activation": ["relu", "tanh"]}, "seeds": [0]}').stdout.strip()
    states.finish_queued(database, lambda _: 0.9)
    assert run("study", "watch", id).exit_code == 0
    events = run("study", "watch", id, "--json").stdout.splitlines()
    assert [json.loads(line)["event"] for line in events] == ["study"]
    assert "2: 2 succeeded" in run("study", "show", id).stdout
    assert id in run("study", "list").stdout
    assert "relu" in run("study", "curves", id).stdout
    curves = json.loads(run("study", "curves", id, "--metric", "train_loss", "--json").stdout)
    assert curves == httpx2.get(f"{url}/api/v1/studies/{id}/curves?metric=train_loss").json()
    assert len(json.loads(run("study", "claims", id, "--json").stdout)["claims"]) == 12
    assert "undecided" in run("study", "claims", id).stdout
    link = json.loads(run("study", "share", id, "--json").stdout)
    assert link["id"] in run("study", "share", id, "--list").stdout


def test_study_watch_exits_with_3_where_experiments_failed(run: Run, database: Database) -> None:
    id = run("study", "submit", "-", input='{"base": {"activation": "relu"}, "seeds": [0]}').stdout.strip()
    for fence in states.claim(database):
        states.fail(database, fence)
    watched = run("study", "watch", id)
    assert watched.exit_code == 3
    assert "1 experiment" in watched.stderr
