"""Each command, request and snippet of the documents runs as it is written."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from service.domain.datasets import DATASETS
from service.domain.spec import ExperimentSpec
from service.domain.study import StudySpec
from service.storage import migrate
from service.storage.engine.database import Database
from service.storage.records import experiments
from service.storage.tables.base import new_id
from tests.api import states
from tests.conftest import ROOT
from tests.snippets import RUN, URL, Runner, Snippet, assert_same_shape, snippets
from tests.stack.services import Service
from tests.test_documents import DOCUMENTS
from tests.waiting import await_true
from worker.training.execution import Execution

SMALL = {
    "base": {"dataset": "digits", "epochs": 1},
    "factors": {"activation": ["relu", "tanh"]},
    "reference": "relu",
    "seeds": [0, 1, 2, 3, 4],
}


REUSED: list[Any] = [{"preset": "quick"}, {"preset": "kizrak-2019", "base": {"dataset": "digits", "epochs": 5}}]
"""Studies of the documents that have `reuse`."""
NOTEBOOK_TOOLS = ("jupytext==1.19.6", "nbclient==0.11.0", "ipykernel==7.4.0")


def runnable(file: Path) -> list[Snippet]:
    blocks = snippets(file, file.relative_to(ROOT).as_posix())
    return [block for block in blocks if block.language in RUN and not block.reason]


WITH_SNIPPETS = [file for file in DOCUMENTS if runnable(file)]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    running = Service(tmp_path_factory.mktemp("snippets"), ACTLAB_DEVICE="cpu")
    _store_runs(running.home, running.database_url)
    running.launch("up")
    try:
        await_true(running.client.healthy, seconds=240)
        await_true(running.client.workers, seconds=240)
        yield running
    finally:
        running.close()


def _store_runs(home: Path, database_url: str) -> None:
    """Store runs that documents reuse. Two of each study are left to train, since documents load weights; a run of
    `quick` takes 3 s where the processor computes in bfloat16 and 20 s elsewhere."""
    home.mkdir(exist_ok=True)
    database = Database(database_url)
    try:
        migrate.upgrade(database)
        precision = Execution.resolve(ExperimentSpec.model_validate({"activation": "relu"}), device="cpu").precision
        same = {"torch": version("torch"), "code": version("actlab"), "precision": precision}
        for study in map(StudySpec.model_validate, REUSED):
            submissions = study.experiments()[:-2]
            with database.write("make") as session:
                for submission in submissions:
                    experiments.create(session, "local", submission, id=new_id())
            images = DATASETS[submissions[0].spec.dataset].test_images
            states.train_queued(database, lambda spec: 0.5 + spec["seed"] / 100, images=images, **same)
    finally:
        database.close()


@pytest.fixture(scope="module")
def variables(service: Service) -> dict[str, str]:
    """The ids that documents take as known: `$ID` of a finished study, and `$EXPERIMENT` of one of its runs."""
    id = service.client.submit_study(SMALL)["id"]
    await_true(lambda: service.client.study(id, wait=5)["finished"], seconds=600)
    return {"ID": id, "EXPERIMENT": service.client.experiments(study=id)[0]["id"]}


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("file", WITH_SNIPPETS, ids=lambda file: str(file.relative_to(ROOT)))
def test_document_runs_as_written(
    service: Service, variables: dict[str, str], file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACTLAB_URL", f"http://127.0.0.1:{service.port}")
    runner = Runner(os.environ["ACTLAB_URL"], tmp_path, variables)
    try:
        for snippet in runnable(file):
            runner.run(snippet)
    finally:
        runner.close()
        service.client.cancel_experiments(status=["queued", "running"])  # of which the next document should not wait


@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_tutorial_runs_as_a_notebook(service: Service, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--target", tools, *NOTEBOOK_TOOLS], check=True)
    text = (ROOT / "docs" / "tutorial.md").read_text()
    (tmp_path / "tutorial.md").write_text(text.replace(URL, f"http://127.0.0.1:{service.port}"))
    paths = {"PYTHONPATH": f"{ROOT}:{tools}", "JUPYTER_PATH": str(tools / "share" / "jupyter")}
    command = [sys.executable, "-m", "jupytext", "--to", "ipynb", "--execute", "tutorial.md"]
    subprocess.run(command, cwd=tmp_path, env={**os.environ, **paths}, check=True, timeout=1500)
    cells = json.loads((tmp_path / "tutorial.ipynb").read_text())["cells"]
    shown = {kind for cell in cells for output in cell.get("outputs", []) for kind in output.get("data", {})}
    assert {"text/html", "image/png"} <= shown


# --- the runner itself ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "text"),
    [("bash", "false\ntrue\n"), ("console", "$ false\nshown\n"), ("python", "1 / 0\n"), ("json", '{"a": 1}')],
)
def test_runner_fails_with_a_block_that_fails(tmp_path: Path, language: str, text: str) -> None:
    runner = Runner("http://127.0.0.1:9", tmp_path, {"ID": "1", "EXPERIMENT": "2"}, printed="{}")
    with pytest.raises(AssertionError, match=r"page.md:3"):
        runner.run(Snippet("page.md:3", language, text, ""))


def test_runner_keeps_names_until_the_end_of_a_document(tmp_path: Path) -> None:
    runner = Runner("http://127.0.0.1:9", tmp_path, {"ID": "1", "EXPERIMENT": "2"})
    blocks = [
        ("bash", "ID=7"),
        ("bash", 'echo {\\"a\\": $ID}'),
        ("json", '{"a": 1}'),
        ("python", "x = 1"),
        ("python", "x"),
    ]
    for language, text in blocks:
        runner.run(Snippet("page.md:1", language, text, ""))


@pytest.mark.parametrize(("answer", "shown"), [({}, {"a": 1}), ({"a": "1"}, {"a": 1}), ({"a": {}}, {"a": {"b": 1}})])
def test_same_shape_fails_with_fields_that_are_not_there(answer: object, shown: object) -> None:
    with pytest.raises((AssertionError, KeyError)):
        assert_same_shape(answer, shown)
