"""The command without the libraries of its extras: what a client has is enough, or one line names the extra."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

NEEDS = {
    "demo": "worker",
    "up": "worker",
    "worker": "worker",
    "serve": "server",
    "db check": "server",
    "db upgrade": "server",
    "db backup copy.db": "server",
    "keys create --role viewer --name a": "server",
    "keys list": "server",
    "keys revoke a": "server",
    "data fetch": "server",
}
"""Commands, and the extra that each needs."""

HELP = ["--help", "study --help", "experiment --help", "up --help", "demo --help", "keys --help"]

BASE = {"annotated_doc", "annotated_types", "anyio", "h11", "httpcore2", "httpx2", "idna", "markdown_it", "mdurl",
        "platformdirs", "pydantic", "pydantic_core", "pygments", "rich", "shellingham", "tenacity", "truststore",
        "typer", "typing_extensions", "typing_inspection"}  # fmt: skip
"""The modules of the base dependencies, with theirs; typer needs pydantic."""

OURS = {"actlab", "service", "worker", "migrations"}
PROGRAM = f"""
import importlib.abc, importlib.metadata, json, sys
ABSENT = importlib.metadata.packages_distributions().keys() - {(BASE | OURS)!r}

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ABSENT :
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
from typer.testing import CliRunner
from actlab.cli.main import app
answers = {{}}
for words in sys.argv[1:]:
    result = CliRunner().invoke(app, words.split())
    answers[words] = [result.exit_code, result.stdout, result.stderr]
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The exit status, output and errors of each command, where only the libraries of a client can be imported."""
    run = [sys.executable, "-c", PROGRAM, *HELP, *NEEDS]
    folder = tmp_path_factory.mktemp("client")
    done = subprocess.run(run, cwd=folder, env=_environment(), capture_output=True, text=True, check=True)
    assert list(folder.iterdir()) == []
    return json.loads(done.stdout.splitlines()[-1])


def _environment() -> dict[str, str]:
    return {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "COLUMNS": "200"}


@pytest.mark.parametrize("words", NEEDS)
def test_command_without_its_extra_names_it_in_one_line(answers: Any, words: str) -> None:
    status, output, errors = answers[words]
    assert (status, output) == (1, "")
    assert errors.startswith(f"actlab: This command needs the extra `{NEEDS[words]}` (")
    assert errors.endswith(f"pip install 'actlab[{NEEDS[words]}]'\n")
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    "words", ["--help", "study --help", "experiment --help", "up --help", "demo --help", "keys --help"]
)
def test_help_needs_the_libraries_of_a_client_alone(answers: Any, words: str) -> None:
    status, output, _ = answers[words]
    assert status == 0
    assert "Usage" in output


def test_command_reports_a_service_that_does_not_answer_without_extras(tmp_path: Path) -> None:
    """The errors of the server's libraries are handled without these libraries."""
    program = PROGRAM.partition("answers = ")[0] + "import actlab.cli.main; actlab.cli.main.main()"
    variables = _environment() | {"ACTLAB_URL": "http://127.0.0.1:9", "XDG_CONFIG_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program, "study", "list"], cwd=tmp_path, env=variables, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith("actlab: The service does not answer")
    assert done.stderr.count("\n") == 1
