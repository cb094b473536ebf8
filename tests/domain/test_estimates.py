from typing import Any

import pytest

from service.domain.estimates import Pace, PlannedCell, estimate, images
from service.domain.spec import ExperimentSpec


def spec(**fields: Any) -> ExperimentSpec:
    return ExperimentSpec.model_validate({"activation": "relu", "dataset": "mnist_5k", "epochs": 2} | fields)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, 3600),
        ({"dataset": "mnist"}, 54_000),
        ({"train_samples": 500}, 500),
        ({"validation_fraction": 0.5}, 2000),
        ({"classes": [0, 1]}, 720),
    ],
    ids=str,
)
def test_images_of_an_epoch(fields: dict[str, Any], expected: int) -> None:
    assert images(spec(**fields)) == expected


def test_estimate_takes_the_pace_of_the_most_alike() -> None:
    paces = [
        Pace(spec(seed=5), 3.0),
        Pace(spec(activation="tanh"), 100.0),
        Pace(spec(batch_size=32), 1000.0),
    ]
    assert estimate([PlannedCell(spec(), 4)], paces, 1).train_seconds == 4 * 2 * 3.0
    same = estimate([PlannedCell(spec(epochs=10, dataset="mnist"), 1)], paces, 1)
    assert same.train_seconds == pytest.approx(10 * 3.0 * 54_000 / 3600)
    assert "network, batch size and activation" in same.basis


def test_estimate_leaves_out_epochs_that_are_done() -> None:
    cells = [PlannedCell(spec(epochs=10), 3, epochs_done=12), PlannedCell(spec(epochs=2), 1, epochs_done=5)]
    assert estimate(cells, [Pace(spec(), 3.0)], 1).seconds == 18 * 3.0


def test_estimate_counts_no_more_workers_than_experiments() -> None:
    paces = [Pace(spec(), 3.0)]
    assert estimate([PlannedCell(spec(), 4)], paces, 2).seconds == 12.0
    assert estimate([PlannedCell(spec(), 4)], paces, 100).seconds == 6.0


def test_estimate_is_none_where_nothing_is_alike() -> None:
    paces = [Pace(spec(), 3.0)]
    unlike = estimate([PlannedCell(spec(), 1), PlannedCell(spec(batch_size=64), 2)], paces, 1)
    assert (unlike.train_seconds, unlike.seconds) == (None, None)
    assert "to 2 of the 3 experiments" in unlike.basis
    assert estimate([PlannedCell(spec(), 1)], paces, 0).seconds is None


def test_estimate_says_that_early_stopping_may_end_sooner() -> None:
    stopping = spec(early_stopping={"patience": 1})
    assert "sooner" in estimate([PlannedCell(stopping, 1)], [Pace(spec(), 3.0)], 1).basis
