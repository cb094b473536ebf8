"""`actlab study` and `actlab export` against a listening server."""

import json
import re
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner

from actlab.cli.main import app
from service.storage.engine.database import Database
from tests.actlab.cli.conftest import Run
from tests.api import states


@states.on_sqlite
def test_study_commands_run_a_study(run: Run, database: Database, tmp_path: Path) -> None:
    plan = run("study", "plan", "--preset", "quick").output
    assert "25 experiments" in plan
    assert "5 seeds probably find a difference of 1.4 percentage points of test accuracy" in plan
    spec = tmp_path / "study.json"
    spec.write_text(json.dumps({"name": "mine", "base": {"dataset": "digits"}, "seeds": [0]}))
    id = run("study", "submit", str(spec), "--preset", "quick").stdout.strip()
    assert "6 seeds" not in run("study", "add-seeds", id, "1").output
    states.finish_queued(database, lambda spec: 0.9 if spec["activation"]["name"] == "relu" else 0.8)
    shown = json.loads(run("study", "show", id, "--wait", "--json").stdout)
    assert (shown["name"], shown["seeds"], shown["progress"]["succeeded"]) == ("mine", [0, 1], 10)
    assert id in run("study", "list", "--text", "min").output
    assert "reference" in run("study", "compare", id, "--versus", "relu").output
    latex = run("study", "compare", id, "--format", "latex", "--rows", "pairs", "--versus", "all").output
    assert latex.startswith("% Needs")
    assert "of all pairs of groups, corrected together" in latex
    assert run("study", "compare", id, "--format", "csv", "--metric", "nonsense").exit_code == 1
    file = tmp_path / "rows.csv"
    assert run("export", str(file), "--where", "activation=relu", "--study", id).exit_code == 0
    assert file.read_text().count("\n") == 3
    assert run("study", "report", id, str(tmp_path / "report.md")).exit_code == 0
    assert (tmp_path / "report.md").read_text().startswith("# mine")
    assert run("export", str(file), "--study", id, "--grid", "depth").exit_code == 1
    assert run("study", "delete", id).exit_code == 0
    assert id not in run("study", "list").output


@states.on_sqlite
def test_study_share_prints_a_link_that_opens_and_ends(run: Run) -> None:
    id = run("study", "submit", "-", input='{"base": {"activation": "relu"}, "name": "shown"}').stdout.strip()
    made = run("study", "share", id, "--expires", "2h")
    link = made.stdout.strip()
    assert "shown" in httpx2.get(link).text
    share = re.search(r"The link (\S+),", made.stderr)
    assert share is not None
    assert "revoked" in run("study", "share", id, "--revoke", share[1]).output
    assert httpx2.get(link).status_code == 404
    assert run("study", "share", id, "--expires", "soon").exit_code == 1


@states.on_sqlite
def test_study_cancel_ends_a_study(run: Run) -> None:
    id = run("study", "submit", "-", input='{"base": {"activation": "relu"}}').stdout.strip()
    assert "cancelled" in run("study", "cancel", id).output
    assert json.loads(run("--json", "study", "show", id).stdout)["finished"] is True


@states.on_sqlite
def test_study_archive_hides_a_study_until_it_is_restored(run: Run) -> None:
    id = run("study", "submit", "-", input='{"base": {"activation": "relu"}}').stdout.strip()
    assert run("study", "archive", id).exit_code == 1  # it has not finished
    run("study", "cancel", id)
    assert json.loads(run("study", "archive", id, "--json").stdout)["archived_at"] is not None
    assert json.loads(run("study", "list", "--json").stdout)["items"] == []
    assert run("study", "restore", id).output == "The study is restored.\n"
    assert len(json.loads(run("study", "list", "--json").stdout)["items"]) == 1


@states.on_sqlite
def test_study_retry_queues_what_failed(run: Run, database: Database) -> None:
    id = run("study", "submit", "-", input='{"base": {"activation": "relu"}, "seeds": [0, 1]}').stdout.strip()
    for fence in states.claim(database):
        states.fail(database, fence)
    assert run("study", "retry", id, "--dry-run").output == "2 experiments would be queued again.\n"
    assert run("study", "retry", id).output == "2 experiments are queued again.\n"
    assert run("study", "retry", id).output == "0 experiments are queued again.\n"
    assert run("study", "retry", str(states.SOME_ID)).exit_code == 1


@states.on_sqlite
def test_experiment_commands_change_many_experiments(run: Run, database: Database) -> None:
    ids = [str(states.queue(database, tags=[tag])) for tag in "aab"]
    words = ("experiment", "cancel", "--where", "tag=a", "--where", "tag=b")
    assert run(*words, "--dry-run").output == "3 experiments would be cancelled.\n"
    assert run(*words).output == "3 experiments are cancelled.\n"
    assert run("experiment", "retry", *ids[:2]).output == "2 experiments are queued again.\n"
    assert run("experiment", "retry", "--where", "tag=b", "--where", "epochs_min=1").output.startswith(
        "1 experiment is"
    )
    study = run("study", "submit", "-", input='{"base": {"activation": "relu"}, "seeds": [0, 1]}').stdout.strip()
    assert run("experiment", "cancel", "--study", study).output.startswith("2 experiments")
    assert run("experiment", "delete", "--where", "status=cancelled").output.startswith("5 experiments are deleted")
    assert run("experiment", "cancel", "x").exit_code == 1
    unknown = run("experiment", "cancel", str(states.SOME_ID))
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert unknown.stderr.startswith("0 experiments are cancelled.")


@states.on_sqlite
def test_commands_select_by_a_query(run: Run, database: Database, tmp_path: Path) -> None:
    for seed in range(3):
        states.queue(database, seed=seed, name=f"number {seed}")
    run("study", "submit", "-", input='{"name": "width", "base": {"activation": "relu"}, "seeds": [9]}')
    listed = run("--json", "experiment", "list", "--query", "seed > 0 AND NOT seed = 9", "--sort", "id").stdout
    assert [item["name"] for item in json.loads(listed)["items"]] == ["number 1", "number 2"]
    assert run("experiment", "cancel", "--query", "seed < 2", "--dry-run").output.startswith("2 experiments would")
    assert len(json.loads(run("--json", "study", "list", "--query", "name LIKE 'w%'").stdout)["items"]) == 1
    assert "column 6" in str(run("experiment", "list", "--query", "seed == 1").exception)
    file = tmp_path / "x.csv"
    assert run("export", str(file), "--query", "seed = 1").exit_code == 0
    assert len(file.read_text().splitlines()) == 1  # nothing has ended


@states.on_sqlite
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_study_plan_reads_every_encoding_of_json(run: Run, tmp_path: Path, encoding: str) -> None:
    spec = tmp_path / "study.json"
    spec.write_bytes('{"name": "Größe", "base": {"activation": "relu"}}'.encode(encoding))
    assert "5 experiments" in run("study", "plan", str(spec)).output
    assert "5 experiments" in run("study", "plan", "-", input=spec.read_bytes()).output


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\xef\xbb\xbf{", b"\x80"])
def test_study_plan_says_of_broken_text_that_it_is_not_json(content: bytes) -> None:
    result = CliRunner().invoke(app, ["study", "plan", "-"], input=content)
    assert result.exit_code == 2
    assert "is not JSON" in result.output


@pytest.mark.parametrize(
    ("words", "message"),
    [(("study", "submit"), "give a file"), (("study", "submit", "-"), "is not JSON"),
     (("export", "x.csv", "--where", "relu"), "NAME=VALUE"),
     (("experiment", "delete"), "give either ids"), (("experiment", "retry", "x", "--study", "y"), "give either ids"),
     (("experiment", "cancel", "--where", "relu"), "NAME=VALUE"),
     (("export", "x.csv", "--where", "study=1"), "--study ID"), (("export", "x.csv", "--grid", "depth"), "--study"),
     (("export", "x.csv", "--grid", "a", "--study", "i", "--where", "status=failed"), "not with --where")],
)  # fmt: skip
def test_commands_refuse_wrong_arguments(words: tuple[str, ...], message: str) -> None:
    result = CliRunner().invoke(app, list(words), input="{")
    assert result.exit_code == 2
    assert message in " ".join(result.output.replace("│", " ").split())
