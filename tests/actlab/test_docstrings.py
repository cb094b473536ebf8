"""The examples of the client's docstrings, run against a service."""

import doctest
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import pytest
from matplotlib import pyplot

from actlab import Client
from service.settings import Settings
from service.storage.engine.database import Database
from tests.api import states
from tests.api.serving import listening
from tests.conftest import ROOT

matplotlib.use("agg")

MODULES = ["actlab.client", "actlab.operations"] + [
    f"actlab.objects.{file.stem}" for file in sorted((ROOT / "actlab" / "objects").glob("[a-z]*.py"))
]


def examples() -> Iterator[doctest.DocTest]:
    """Yield the examples of each class; methods are made by decorators, so that no module is looked for."""
    finder = doctest.DocTestFinder()
    for name in MODULES:
        for kind in vars(importlib.import_module(name)).values():
            if isinstance(kind, type) and kind.__module__ == name:
                found = finder.find(kind, f"{name}.{kind.__name__}", module=False)
                yield from (example for example in found if example.examples)


EXAMPLES = list(examples())


@pytest.fixture
def names(settings: Settings, database: Database, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """The names that examples use: a study of two activations over three seeds, and experiments."""
    with listening(settings) as url, Client(url) as client:
        study = client.submit_study(
            base={"dataset": "mnist_5k", "epochs": 2}, factors={"activation": ["relu", "tanh"]}, seeds=range(3)
        )
        states.train_queued(database, lambda spec: 0.9)
        experiment, other = client.experiments(sort="id")[:2]
        yield {
            "client": client, "url": url, "study": study, "id": experiment.id, "experiment": experiment, "other": other,
            "comparison": study.compare(), "folder": tmp_path,
        }  # fmt: skip
    pyplot.close("all")


@states.on_sqlite
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_docstring_shows_what_happens(example: doctest.DocTest, names: dict[str, Any]) -> None:
    example.globs.update(names)
    output: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    failures, _ = runner.run(example, out=output.append)
    assert not failures, "".join(output)


def test_main_methods_have_examples() -> None:
    names = {".".join(example.name.split(".")[-2:]) for example in EXAMPLES}
    assert names >= {
        "client.Client", "Operations.submit_study", "StudyBase.wait", "StudyBase.compare", "CurvesBase.plot",
        "ExperimentBase.diff", "ExperimentBase.wait",
    }  # fmt: skip
