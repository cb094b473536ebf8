"""Files of weights that say what they are, and networks that are built from them."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import torch
from safetensors.torch import save_file

import actlab.torch
from service.storage.engine.database import Database
from service.storage.records import results
from tests.api.states import on_sqlite
from tests.conftest import make_experiment
from tests.worker.attempts import TINY, TINY_MODEL, claim
from worker.attempt import run
from worker.context import WorkerContext
from worker.training.evaluation import Examples, evaluate

SPECS: dict[str, dict[str, Any]] = {
    "relu": {},
    "formula": {"activation": {"formula": "a * tanh(x)", "parameters": {"a": {"value": 1.5, "learnable": True}}}},
    "batch norm": {"activation": "swish", "model": {**TINY_MODEL, "batch_norm": True}},
    "two classes": {"classes": [3, 7], "output": "sigmoid"},
}


@on_sqlite
@pytest.mark.parametrize("fields", SPECS.values(), ids=SPECS)
def test_loaded_network_reproduces_the_stored_scores(
    database: Database, context: WorkerContext, fields: dict[str, Any]
) -> None:
    id: UUID = database.run("make", lambda s: make_experiment(s, **{**TINY, **fields})).id
    run(context, claim(database))
    with database.read() as session:
        result = results.of_experiment(session, id)
    assert result is not None
    data = context.datasets.get("mnist_5k")
    for which, stored in (("last", result.last), ("best", result.best)):
        file = context.settings.weights / str(result.weights_path) / f"{which}.safetensors"
        network, said = actlab.torch.load(file), actlab.torch.metadata(file)
        labels = torch.tensor(said["spec"].get("classes") or list(range(10)))
        chosen = torch.isin(data.test_labels, labels)
        targets = torch.searchsorted(labels, data.test_labels[chosen])
        predictions = evaluate(network, Examples(data.test_images[chosen], targets), said["spec"]["output"])
        assert predictions.accuracy == stored["test_accuracy"] == said["score"]["test_accuracy"]
        assert predictions.loss == stored["test_loss"]
        assert said["score"]["epoch"] == stored["epoch"]
        assert (said["experiment"], said["dataset"]) == (str(id), "mnist_5k")
        assert said["fingerprint"]["torch"] == torch.__version__
        assert not network.training


def test_load_refuses_files_that_do_not_say_what_they_are(tmp_path: Path) -> None:
    save_file({"w": torch.zeros(2)}, tmp_path / "other.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(b"cut")
    for name, reason in (("other", "does not say which network"), ("cut", "not a complete file of safetensors")):
        for function in (actlab.torch.load, actlab.torch.metadata):
            with pytest.raises(actlab.torch.UnreadableWeights, match=reason):
                function(tmp_path / f"{name}.safetensors")
