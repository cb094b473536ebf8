"""The objects that both clients return."""

import asyncio
import copy
import json
import pickle
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from actlab import (
    AsyncClient,
    Client,
    Comparison,
    Conflict,
    Experiment,
    ExperimentsFailed,
    NotFound,
    Study,
    WaitTimeout,
)
from actlab.objects import waiting
from service.settings import Settings
from service.storage.engine.database import Database
from service.storage.queue import transitions
from tests.api import states
from tests.api.serving import listening
from tests.making import make_epoch, make_layer

GRID: dict[str, Any] = {"factors": {"activation": ["relu", "tanh"]}, "seeds": range(2), "reference": "relu"}

pytestmark = states.on_sqlite


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    with listening(settings) as root:
        yield root


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    with Client(url) as opened:
        yield opened


def finish(database: Database, value: float = 0.5) -> None:
    states.finish_queued(database, lambda spec: value + 0.1 * spec["seed"])


def test_study_is_a_dict_with_typed_fields_and_methods(client: Client, database: Database) -> None:
    study = client.submit_study(GRID, name="mine")
    assert isinstance(study, Study)
    assert json.loads(json.dumps(study)) == study == client.study(study.id)
    assert (study.name, study["name"], study.experiments, study.progress["queued"]) == ("mine", "mine", 4, 4)
    finish(database)
    assert study.wait(timeout=20) is study
    assert study.finished
    assert study.add_seeds([2]).experiments == 6
    assert study.cancel().progress["cancelled"] == 2
    assert study.edit(name="other", edit_version=study.edit_version).name == "other"
    assert study.delete() is None
    with pytest.raises(NotFound):
        study.refresh()


def test_study_reads_its_figures(client: Client, database: Database) -> None:
    study = client.submit_study(GRID)
    finish(database)
    comparison = study.compare(versus={"activation": "tanh"})
    assert isinstance(comparison, Comparison)
    assert comparison.family["versus"] == {"activation": "tanh"}
    assert comparison == client.study_comparison(study.id, versus="tanh")
    assert study.curves("train_loss").metric == "train_loss"
    assert len(study.claims()["claims"]) == 12
    assert study.retry(dry_run=True) == 0
    assert [experiment.study_id for experiment in study.iter_experiments(limit=1)] == [study.id] * 4
    assert study.edit(archived=True, tags=["old"]).tags == ["old"]
    assert (list(client.iter_experiments()), len(list(study.iter_experiments()))) == ([], 4)


def test_iter_experiments_reads_pages_as_they_are_needed(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.submit_study(GRID)
    asked: list[str] = []
    send = client._http.request

    def request(**arguments: Any) -> Any:
        asked.append(arguments["url"])
        return send(**arguments)

    monkeypatch.setattr(client._http, "request", request)
    experiments = client.iter_experiments(limit=2)
    assert asked == []
    assert isinstance(next(experiments), Experiment)
    assert len(asked) == 1
    assert len(list(experiments)) == 3
    assert len(asked) == 2


def test_experiment_reads_its_figures(client: Client, database: Database) -> None:
    id = states.trained(database, [(0.5, 1.0), (0.7, 0.8)], best=2)
    experiment = client.experiment(str(id))
    metrics = experiment.metrics()
    assert [epoch["validation_accuracy"] for epoch in metrics.epochs] == [0.5, 0.7]
    assert metrics["items"] == metrics.epochs
    assert experiment.result().last["test_accuracy"] == 0.9
    assert len(experiment.attempts()) == 1
    assert experiment.refresh() is experiment
    assert experiment.wait().status == "succeeded"
    again = experiment.retry()
    assert again.retry_of == experiment.id
    assert again.cancel().status == "cancelled"
    with pytest.raises(Conflict):
        experiment.cancel()


def test_diagnostics_have_layers(client: Client, database: Database) -> None:
    fence = states.start(database)
    with database.write("epoch") as session:
        transitions.record_epoch(session, fence, make_epoch(1), [make_layer(1), make_layer(1, "dense1")])
    diagnostics = client.experiment(str(fence.id)).diagnostics()
    assert [layer["layer"] for layer in diagnostics.layers] == ["conv1", "dense1"]


def test_diff_shows_fields_and_figures_that_differ(client: Client, database: Database) -> None:
    first = states.finish(database, 0.9, run={"seconds": 3.0})
    second = states.finish(database, 0.8, run={"seconds": 3.0}, activation="tanh", optimizer={"learning_rate": 0.01})
    difference = client.experiment(str(first)).diff(client.experiment(str(second)))
    assert difference["spec.activation.name"] == ("relu", "tanh")
    assert difference["spec.optimizer.learning_rate"][1] == 0.01
    assert difference["test_accuracy"] == (0.9, 0.8)
    assert "seconds" not in difference
    assert next(iter(difference)).startswith("spec.")
    assert "spec.activation.name" in repr(difference).splitlines()[0]
    assert repr(client.experiment(str(first)).diff(client.experiment(str(first)))) == "No differences."


def test_wait_raises_after_its_timeout(client: Client) -> None:
    study = client.submit_study(GRID)
    with pytest.raises(WaitTimeout, match=f"Study {study.id} has not ended within 0.1 s: 4 queued"):
        study.wait(timeout=0.1)
    experiment = next(study.iter_experiments())
    with pytest.raises(TimeoutError, match=f"Experiment {experiment.id} has not ended"):
        experiment.wait(timeout=0)


def test_wait_tells_of_failures(client: Client, database: Database) -> None:
    study = client.submit_study(GRID)
    for fence in states.claim(database):
        states.fail(database, fence)
    with pytest.warns(ExperimentsFailed, match="4 of 4 experiments of study .* failed. The loss became NaN in epoch 2"):
        study.wait()
    with pytest.warns(ExperimentsFailed, match="The loss became NaN"):
        next(study.iter_experiments()).wait()


def test_wait_shows_a_bar_and_failures(
    client: Client, database: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "LOOK_SECONDS", 0.05)
    study = client.submit_study(GRID)
    (fence,) = states.claim(database, limit=1)
    states.fail(database, fence)
    finish(database)
    with warnings.catch_warnings(action="error"):
        study.wait(progress=True)
    shown = capsys.readouterr().err
    assert "4/4" in shown
    assert shown.count("failed. The loss became NaN in epoch 2.") == 1
    next(study.iter_experiments(status="succeeded")).wait(progress=True)
    assert "succeeded" in capsys.readouterr().err


def test_async_objects_do_the_same(url: str, database: Database) -> None:
    async def run() -> None:
        async with AsyncClient(url) as client:
            study = await client.submit_study(GRID)
            finish(database)
            await study.wait(timeout=20, progress=True)
            assert study.finished
            comparison = await study.compare()
            assert len(comparison.groups) == 2
            experiments = [experiment async for experiment in study.iter_experiments(limit=3)]
            assert len(experiments) == 4
            assert (await experiments[0].refresh()).status == "succeeded"
            assert (await experiments[0].retry()).retry_of == experiments[0].id
            assert (await client.activation("relu")).name == "relu"
            assert [item.id for item in await client.studies()] == [study.id]

    asyncio.run(run())


def test_records_are_copied_without_their_client(client: Client) -> None:
    study = client.submit_study(GRID)
    for copied in (copy.deepcopy(study), copy.copy(study), pickle.loads(pickle.dumps(study))):
        assert copied == study
        assert isinstance(copied, Study)
        with pytest.raises(RuntimeError, match="copy without a client"):
            copied.refresh()


def test_records_name_wrong_fields(client: Client) -> None:
    study = client.submit_study(GRID)
    with pytest.raises(AttributeError, match="Study has no attribute 'progres'"):
        study.progres  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(AttributeError, match="cannot be assigned"):
        study.name = "mine"
    assert {"progress", "wait", "items"} <= set(dir(study))


def test_records_show_themselves_in_one_line(client: Client, database: Database) -> None:
    study = client.submit_study(GRID, name="mine")
    finish(database)
    assert repr(study.refresh()) == f"<Study {study.id} 'mine': 4 experiments, 4 succeeded>"
    experiment = next(study.iter_experiments(sort="id"))
    assert repr(experiment) == f"<Experiment {experiment.id}: relu, succeeded, test accuracy 0.5000>"
    assert repr(client.activation("relu")) == "<Activation relu: where(x > 0, x, 0)>"
    assert "4 experiments" in repr(client.plan_study(GRID))
    assert "<td>mine</td>" in study._repr_html_()
