"""Methods in sentences."""

from typing import Any

import pytest

from service.domain.comparisons.cells import Cell
from service.domain.comparisons.compare import compare
from service.domain.factors import shared
from service.domain.methods import methods, used_tests
from service.domain.spec import ExperimentSpec
from tests.report.test_report import make_cell, make_report


def make_spec(**fields: Any) -> dict[str, Any]:
    spec = {"activation": "relu", "dataset": "mnist_5k", "epochs": 3, **fields}
    return ExperimentSpec.model_validate(spec).model_dump(mode="json")


def text_of(*specs: dict[str, Any], cells: list[Cell] | None = None, **overrides: Any) -> str:
    groups = cells or [make_cell("relu", [0.9, 0.91, 0.93, 0.95, 0.9]), make_cell("tanh", [0.8, 0.83, 0.8, 0.82, 0.81])]
    return " ".join(methods(make_report(groups, protocol=shared(specs), **overrides)))


def test_methods_name_data_split_and_training() -> None:
    text = text_of(make_spec(), make_spec(activation="tanh", seed=3))
    assert "Data set: mnist_5k, 3,600 training, 400 validation and 1,000 test images; classes: all 10." in text
    assert "3 epochs at most, optimizer adam, learning rate 0.001 at the start, schedule reduce_on_plateau" in text
    assert "momentum" not in text
    assert "They differ" not in text


def test_methods_say_what_differs() -> None:
    text = text_of(make_spec(epochs=3), make_spec(epochs=4, dataset="mnist"))
    assert "The experiments use several data sets." in text
    assert "They differ in epochs." in text
    assert "3 epochs" not in text


def test_methods_of_a_part_of_the_data() -> None:
    text = text_of(make_spec(train_samples=500, early_stopping={"patience": 2}))
    assert "500 training, 400 validation and 1,000 test images" in text
    assert "early stopping after 2 epochs without improvement" in text
    assert "mnist_5k, 1,000 test images; classes: [1, 7]." in text_of(make_spec(classes=[1, 7]))


@pytest.mark.parametrize(
    ("seeds", "words"), [([0, 1, 2, 3], "4 seeds (0 to 3)"), ([0, 1, 5], "3 seeds (0 to 1, 5)"), ([7], "1 seed (7)")]
)
def test_methods_name_the_seeds(seeds: list[int], words: str) -> None:
    cells = [Cell({"activation": "relu"}, dict.fromkeys(seeds, 0.9))]
    assert words in text_of(make_spec(), cells=cells)


def test_methods_name_test_family_margin_and_machine() -> None:
    text = text_of(make_spec())
    assert "test accuracy at the last epoch, and 1 pairs of groups. Test: Student's paired t test" in text
    assert "p values are adjusted after Shaffer." in text
    assert "The margin within which a difference does not matter is 0.5 percentage points." in text
    assert "8 experiments ran on A processor (cpu, 2 threads, float32) with actlab 0.1.0 and torch 2.13." in text


def test_methods_name_the_group_of_the_family() -> None:
    cells = [make_cell("relu", [0.9, 0.91, 0.93]), make_cell("tanh", [0.8, 0.83, 0.8])]
    comparison = compare(cells, "test_accuracy", {"activation": "relu"}, margin=0)
    text = text_of(make_spec(), cells=cells, comparison=comparison)
    assert "1 pairs of a group with relu" in text
    assert "No margin was set" in text
    assert "A rank is a range" not in text


def test_used_tests_counts_pairs_of_several_tests() -> None:
    cells = [make_cell("relu", [0.9, 0.91]), make_cell("tanh", [0.8, 0.83]), make_cell("sigmoid", [0.7])]
    assert used_tests(compare(cells, "test_accuracy")) == ["Tests: Welch's t test (1 pairs); none (2 pairs)."]
    assert used_tests(compare(cells[:1], "test_accuracy")) == []
