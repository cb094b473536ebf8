"""Studies of several grids, and presets with fields put over them."""

from typing import Any

import pytest

from service.domain.errors import Invalid
from service.domain.presets import PRESETS, over_preset
from service.domain.spec import ExperimentSubmission
from service.domain.study import StudySpec

TWO: dict[str, Any] = {
    "base": {"activation": "relu", "optimizer": {"l2": 0.0}},
    "grids": [
        {"name": "depth", "factors": {"model.dense_layers": [1, 3]}},
        {"name": "rate", "base": {"optimizer": {"name": "sgd"}}, "factors": {"optimizer.learning_rate": [0.1]},
         "seeds": [7]},
    ],
    "seeds": [0, 1],
}  # fmt: skip


def study(**fields: Any) -> StudySpec:
    return StudySpec.model_validate(TWO | fields)


def fields_of(submissions: list[ExperimentSubmission]) -> list[tuple[Any, ...]]:
    return [
        (submission.model.dense_layers, submission.optimizer.name, submission.optimizer.l2, submission.seed)
        for submission in submissions
    ]


def problems(**fields: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        study(**fields).experiments()
    return [(problem.pointer, problem.code) for problem in caught.value.errors]


def preset(name: str, **fields: Any) -> StudySpec:
    return StudySpec.model_validate({"preset": name, **fields})


def test_experiments_put_each_grid_over_the_shared_fields() -> None:
    assert fields_of(study().experiments()) == [
        (1, "adam", 0.0, 0), (3, "adam", 0.0, 0), (1, "adam", 0.0, 1), (3, "adam", 0.0, 1), (1, "sgd", 0.0, 7),
    ]  # fmt: skip
    assert study().size == 5


def test_with_seeds_takes_the_grids_without_seeds_of_their_own() -> None:
    further = study().with_seeds([5])
    assert further is not None
    assert fields_of(further.experiments()) == [(1, "adam", 0.0, 5), (3, "adam", 0.0, 5)]
    assert study(grids=TWO["grids"][1:]).with_seeds([5]) is None


def test_experiments_of_several_grids_are_made_once() -> None:
    both = study(grids=[{"name": "a"}, {"name": "b", "factors": {"epochs": [20, 30]}}])
    assert [(submission.epochs, submission.seed) for submission in both.experiments()] == [
        (20, 0),
        (20, 1),
        (30, 0),
        (30, 1),
    ]
    assert both.size == 6


def test_grid_is_the_study_with_one_grid() -> None:
    assert fields_of(study().grid("rate").experiments()) == [(1, "sgd", 0.0, 7)]
    assert study().grid("depth").varied() == ["model.dense_layers"]
    assert study().varied() == ["model.dense_layers", "optimizer"]
    assert fields_of(study().cells()) == [(1, "adam", 0.0, 0), (3, "adam", 0.0, 0), (1, "sgd", 0.0, 0)]
    with pytest.raises(Invalid, match="depth, rate"):
        study().grid("width")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"grids": [{"name": "a"}, {"name": "a"}]}, [("/grids/1/name", "repeated_value")]),
        ({"grids": [{"name": "a", "base": {"epochs": 0}}]}, [("/grids/0/base/epochs", "greater_than_equal")]),
        ({"base": {"activation": "relu", "epochs": 0}}, [("/base/epochs", "greater_than_equal")]),
        ({"grids": [{"name": "a", "factors": {"epochs": [1, 0]}}]},
         [("/grids/0/factors/epochs/1", "greater_than_equal")]),
        ({"grids": [{"name": "a", "factors": {"optimizer.l2": [1]}}]},
         [("/grids/0/factors/optimizer.l2", "given_twice")]),
        ({"grids": [{"name": "a", "seeds": [0, 0]}]}, [("/grids/0/seeds/1", "repeated_value")]),
        ({"seeds": [-1]}, [("/seeds/0", "out_of_bounds")]),
        ({"factors": {"epochs": [1]}, "grids": [{"name": "a", "factors": {"epochs": [2]}}]},
         [("/grids/0/factors/epochs", "given_twice")]),
        ({"grids": [{"name": "a", "base": {"seed": 1}}]}, [("/grids/0/base/seed", "not_allowed")]),
        ({"grids": [{"name": "a", "factors": {"dropout": [0.1, {"conv": 0.1, "dense": 0.1}]}}]},
         [("/grids/0/factors", "repeated_value")]),
    ],
    ids=str,
)  # fmt: skip
def test_experiments_points_at_a_wrong_field_in_its_grid(
    fields: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert problems(**fields) == expected


# --- presets -------------------------------------------------------------------------------------------------------


def test_article_preset_is_five_activations_over_twenty_epochs() -> None:
    submissions = preset("kizrak-2019").experiments()
    assert {submission.activation.label for submission in submissions} == {
        "relu",
        "sigmoid",
        "tanh",
        "leaky_relu",
        "swish",
    }
    assert {
        (
            submission.dataset,
            submission.epochs,
            submission.batch_size,
            submission.dropout.conv,
            submission.dropout.dense,
        )
        for submission in submissions
    } == {("mnist", 20, 128, 0.25, 0.5)}
    assert len(submissions) == 25


def test_claims_preset_has_no_l2_and_ten_seeds_where_claims_need_them() -> None:
    spec = preset("claims")
    submissions = spec.experiments()
    assert {submission.optimizer.l2 for submission in submissions} == {0.0}
    assert len({submission.seed for submission in spec.grid("accuracy").experiments()}) == 10
    depths = {
        (submission.activation.label, submission.model.dense_layers) for submission in spec.grid("depth").experiments()
    }
    assert depths == {(name, depth) for name in ("sigmoid", "tanh", "relu") for depth in (1, 3, 5, 10)}
    assert not any(submission.model.batch_norm for submission in spec.grid("dying").experiments())
    labels = [submission.activation.label for submission in spec.grid("step").experiments()]
    assert len(set(labels)) == 2
    assert all(label.startswith("step") for label in labels)


@pytest.mark.parametrize(
    ("fields", "stays"),
    [({"seeds": [7]}, True), ({"base": {"dataset": "digits"}}, False), ({"factors": {"activation": ["relu"]}}, False)],
)
def test_over_preset_keeps_the_question_of_the_same_runs(fields: dict[str, Any], stays: bool) -> None:
    expected = PRESETS["quick"]["question"] if stays else None
    assert over_preset({"preset": "quick", **fields})["question"] == expected
    assert over_preset({"preset": "quick", **fields, "question": "Why?"})["question"] == "Why?"


def test_over_preset_fixes_seeds_and_fields_in_every_grid() -> None:
    spec = preset("claims", base={"epochs": 1, "train_samples": 500, "dataset": "mnist_5k"}, seeds=[3])
    submissions = spec.experiments()
    assert {
        (submission.epochs, submission.train_samples, submission.dataset, submission.seed) for submission in submissions
    } == {(1, 500, "mnist_5k", 3)}
    assert {submission.optimizer.l2 for submission in submissions} == {0.0}
    assert {submission.schedule for submission in spec.grid("learning rate").experiments()} == {"none"}


def test_over_preset_replaces_factors_by_fields_and_adds_factors_everywhere() -> None:
    fixed = preset("quick", base={"activation": "relu"}, seeds=[0])
    assert [submission.activation.label for submission in fixed.experiments()] == ["relu"]
    wider = preset("quick", factors={"epochs": [1, 2]}, seeds=[0])
    assert (len(wider.experiments()), wider.base) == (10, {"dataset": "mnist_5k"})
    claims = preset("claims", factors={"epochs": [1, 2]}, seeds=[0])
    assert {submission.epochs for submission in claims.grid("step").experiments()} == {1, 2}
    rate = preset("claims", base={"optimizer": {"learning_rate": 0.1}}, seeds=[0]).grid("learning rate")
    assert {(submission.optimizer.name, submission.optimizer.learning_rate) for submission in rate.experiments()} == {
        ("sgd", 0.1)
    }
