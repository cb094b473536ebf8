"""The choice of the learning rate that a cell is ranked with."""

from typing import Any

import pytest

from service.domain.errors import Invalid
from service.domain.spec import ExperimentSpec
from service.domain.study import StudySpec
from service.domain.tuning import Trial, cell_hash, choose, is_at_edge, ranked
from tests.domain.later_spec import CHANGES, LaterSpec

TUNED: dict[str, Any] = {
    "factors": {"activation": ["relu", "tanh"]},
    "seeds": [0, 1],
    "tuning": {"rates": [0.01, 0.001], "seeds": [7]},
}


def trial(rate: float, accuracy: float | None, *, seed: int = 0, loss: float = 0.5, diverged: bool = False) -> Trial:
    loss_or_none = None if accuracy is None else loss
    return Trial(cell_hash="c", rate=rate, seed=seed, diverged=diverged, accuracy=accuracy, loss=loss_or_none)


def problems(**fields: Any) -> list[tuple[str, str]]:
    spec = StudySpec.model_validate(TUNED | fields)
    with pytest.raises(Invalid) as caught:
        spec.tuning_experiments()
    return [(problem.pointer, problem.code) for problem in caught.value.errors]


def test_choose_takes_the_highest_mean_accuracy_not_the_highest_single_one() -> None:
    rate, scores = choose([trial(0.1, 0.99), trial(0.1, 0.5, seed=1), trial(0.01, 0.8), trial(0.01, 0.8, seed=1)])
    assert rate == 0.01
    assert [(score.learning_rate, score.n, score.validation_accuracy) for score in scores] == [
        (0.01, 2, 0.8), (0.1, 2, pytest.approx(0.745))]  # fmt: skip


def test_choose_breaks_ties_by_lower_loss_then_by_smaller_rate() -> None:
    assert choose([trial(0.01, 0.9, loss=0.5), trial(0.1, 0.9, loss=0.4)])[0] == 0.1
    assert choose([trial(0.1, 0.9), trial(0.01, 0.9)])[0] == 0.01


def test_choose_excludes_a_rate_for_a_diverged_seed_not_for_a_failed_one() -> None:
    out = [trial(0.1, 0.99), trial(0.1, None, seed=1, diverged=True), trial(0.01, 0.6), trial(0.01, None, seed=1)]
    rate, scores = choose(out)
    assert (rate, [(score.n, score.n_diverged) for score in scores]) == (0.01, [(1, 0), (1, 1)])


def test_choose_returns_none_where_no_rate_worked() -> None:
    rate, scores = choose([trial(0.1, None, diverged=True), trial(0.01, None)])
    assert (rate, [score.validation_accuracy for score in scores], is_at_edge(rate, scores)) == (
        None,
        [None, None],
        False,
    )


def test_is_at_edge_for_the_least_and_the_greatest_rate() -> None:
    scores = choose([trial(rate, 0.5) for rate in (0.1, 0.01, 0.001)])[1]
    assert [is_at_edge(rate, scores) for rate in (0.001, 0.01, 0.1)] == [True, False, True]


def test_tuning_tries_every_rate_in_every_cell_and_ranks_each_with_its_own() -> None:
    spec = StudySpec.model_validate(TUNED)
    tried = [
        (submission.activation.label, submission.optimizer.learning_rate, submission.seed)
        for submission in spec.tuning_experiments()
    ]
    assert tried == [("relu", 0.01, 7), ("relu", 0.001, 7), ("tanh", 0.01, 7), ("tanh", 0.001, 7)]
    assert spec.size == 8
    cells = [cell_hash(submission.spec.model_dump(mode="json")) for submission in spec.tuning_experiments()]
    assert cells[0] == cells[1] != cells[2] == cells[3]
    tuned = ranked(spec.experiments(), {cells[0]: 0.001, cells[2]: None})
    assert [submission.activation.label for submission in tuned] == ["relu", "relu"]
    assert [(submission.optimizer.learning_rate, submission.seed) for submission in tuned] == [(0.001, 0), (0.001, 1)]


RELU = "c8a1965d0c222d3d4a55f7f827499fad0eca51b66ef0a080ccc454a7b5ac7f01"  # as version 0.1.0 stored it


def test_cell_hash_is_that_of_version_0_1_0() -> None:
    assert cell_hash(ExperimentSpec.model_validate({"activation": "relu"}).model_dump(mode="json")) == RELU


@pytest.mark.usefixtures("later")
def test_cell_hash_leaves_out_added_fields_at_their_defaults() -> None:
    assert cell_hash(LaterSpec.model_validate({"activation": "relu"}).model_dump(mode="json")) == RELU
    changed = [LaterSpec.model_validate({"activation": "relu"} | change) for change in CHANGES]
    assert len({RELU, *(cell_hash(fields.model_dump(mode="json")) for fields in changed)}) == 1 + len(CHANGES)


def test_tuner_is_a_study_of_the_tuning_experiments() -> None:
    spec = StudySpec.model_validate(TUNED | {"name": "mine"})
    tuner = spec.tuner()
    assert tuner is not None
    assert tuner.experiments() == spec.tuning_experiments()
    assert (tuner.name, tuner.tuner()) == ("mine: learning rates", None)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"tuning": {"rates": [0.1, 0.2], "seeds": [5, 1]}}, [("/tuning/seeds/1", "not_fresh")]),
        ({"tuning": {"rates": [0.1, 0.0]}}, [("/tuning/rates/1", "greater_than")]),
        ({"tuning": {"rates": [0.1, 0.1]}}, [("/tuning/rates", "repeated_value")]),
        ({"tuning": {"rates": [0.1, 0.2], "seeds": [5, 5]}}, [("/tuning/seeds/1", "repeated_value")]),
        ({"base": {"optimizer": {"learning_rate": 0.1}}}, [("/tuning/rates", "given_twice")]),
        ({"factors": {"activation": ["relu"], "optimizer.learning_rate": [0.1]}}, [("/tuning/rates", "given_twice")]),
    ],
    ids=str,
)
def test_tuning_experiments_points_at_each_wrong_field(fields: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert problems(**fields) == expected
