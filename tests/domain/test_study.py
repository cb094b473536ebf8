"""A study's grid, and the pointers to its wrong fields."""

from typing import Any

import pytest

from service.domain.errors import Invalid
from service.domain.presets import PRESETS
from service.domain.spec import ExperimentSubmission
from service.domain.study import StudySpec


def study(**fields: Any) -> StudySpec:
    return StudySpec.model_validate({"base": {"activation": "relu"}, "seeds": [0]} | fields)


def problems(**fields: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        study(**fields).experiments()
    return [(problem.pointer, problem.code) for problem in caught.value.errors]


def varied(factor: str, *values: Any, **fields: Any) -> list[ExperimentSubmission]:
    return study(**{"factors": {factor: list(values)}} | fields).experiments()


def test_experiments_are_ordered_by_seed_then_by_cell() -> None:
    factors = {"epochs": [1, 2], "batch_size": [32, 64]}
    grid = study(factors=factors, seeds=[5, 6])
    fields = [(submission.epochs, submission.batch_size, submission.seed) for submission in grid.experiments()]
    assert fields == [(epochs, size, seed) for seed in (5, 6) for epochs in (1, 2) for size in (32, 64)]
    assert grid.size == len(fields) == 8


def test_experiments_without_factors_are_one_condition_over_its_seeds() -> None:
    assert [submission.seed for submission in study(seeds=[3, 1]).experiments()] == [3, 1]


def test_size_of_a_huge_study_is_computed() -> None:
    assert study(factors={f"f{i}": list(range(1000)) for i in range(30)}).size == 10**90


def test_factor_varies_a_part_of_an_object_or_of_a_short_form() -> None:
    rates = varied("optimizer.learning_rate", 0.1, 0.2, base={"activation": "relu", "optimizer": {"name": "sgd"}})
    assert [(submission.optimizer.name, submission.optimizer.learning_rate) for submission in rates] == [
        ("sgd", 0.1),
        ("sgd", 0.2),
    ]
    drops = varied("dropout.conv", 0, 0.1, base={"activation": "relu", "dropout": 0.5})
    assert [(submission.dropout.conv, submission.dropout.dense) for submission in drops] == [(0, 0.5), (0.1, 0.5)]
    betas = varied("activation.parameters.beta", 1, 2, base={"activation": "swish"})
    assert [submission.activation.label for submission in betas] == ["swish", "swish(beta=2)"]
    patient = varied("early_stopping.patience", 3, 5, base={"activation": "relu", "early_stopping": None})
    assert [submission.early_stopping and submission.early_stopping.patience for submission in patient] == [3, 5]


def test_base_holds_filing_fields_of_its_experiments() -> None:
    (submission,) = study(base={"activation": "relu", "name": "n", "tags": ["t"], "priority": 4}).experiments()
    assert (submission.name, submission.tags, submission.priority) == ("n", ["t"], 4)


@pytest.mark.parametrize("name", PRESETS)
def test_preset_is_a_valid_study(name: str) -> None:
    assert StudySpec.model_validate({"preset": name}).experiments()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"base": {}}, [("/base/activation", "missing")]),
        ({"base": {"activation": "relu", "epochs": 0, "x": 1}},
         [("/base/epochs", "greater_than_equal"), ("/base/x", "extra_forbidden")]),
        ({"base": {"activation": "relu", "seed": 1}}, [("/base/seed", "not_allowed")]),
        ({"base": {"activation": "relu", "optimizer": "sgd"}}, [("/base/optimizer", "model_type")]),
        ({"seeds": [0, -1, 2**53, 0]},
         [("/seeds/1", "out_of_bounds"), ("/seeds/2", "out_of_bounds"), ("/seeds/3", "repeated_value")]),
    ],
    ids=str,
)  # fmt: skip
def test_experiments_points_at_wrong_base_fields_and_seeds(
    fields: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert problems(**fields) == expected


@pytest.mark.parametrize(
    ("factors", "expected"),
    [
        ({"epochs": [1, 0, 2000]},
         [("/factors/epochs/1", "greater_than_equal"), ("/factors/epochs/2", "less_than_equal")]),
        ({"dropout": [0.1, 2]}, [("/factors/dropout/1/conv", "less_than"), ("/factors/dropout/1/dense", "less_than")]),
        ({"optimizer.learning_rate": [0]}, [("/factors/optimizer.learning_rate/0", "greater_than")]),
        ({"epochs": []}, [("/factors/epochs", "too_short")]),
        ({"epochs": [1, 1]}, [("/factors/epochs", "repeated_value")]),
        ({"dropout": [0.1, {"conv": 0.1, "dense": 0.1}]}, [("/factors", "repeated_value")]),
        ({"seed": [1]}, [("/factors/seed", "not_a_factor")]),
        ({"tags.0": ["a"]}, [("/factors/tags.0", "not_a_factor")]),
        ({"activation": ["tanh"]}, [("/factors/activation", "given_twice")]),
        ({"activation.name": ["tanh"]}, [("/factors/activation.name", "given_twice")]),
        ({"model": [{}], "model.pool": ["max"]}, [("/factors/model.pool", "given_twice")]),
        ({"epoch": [1]}, [("/factors/epoch/0", "extra_forbidden")]),
        ({"model.width": [1]}, [("/factors/model.width/0", "extra_forbidden")]),
        ({"net.width": [1, 2]},
         [("/factors/net.width/0", "extra_forbidden"), ("/factors/net.width/1", "extra_forbidden")]),
        ({"a/b~c": [1]}, [("/factors/a~1b~0c/0", "extra_forbidden")]),
        ({"": [1]}, [("/factors//0", "extra_forbidden")]),
        ({"model..pool": [1]}, [("/factors/model..pool/0", "extra_forbidden")]),
        ({".".join("a" * 5000): [1]}, [("/factors/" + ".".join("a" * 5000), "extra_forbidden")]),
        ({"\ud800": [1]}, [("/factors/\ud800", "extra_forbidden")]),
        ({"epochs": [0], "batch_size": [0, 128]},
         [("/factors/epochs/0", "greater_than_equal"), ("/factors/batch_size/0", "greater_than_equal")]),
    ],
    ids=lambda value: str(value)[:50],
)  # fmt: skip
def test_experiments_points_at_wrong_factors(factors: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert problems(factors=factors) == expected


@pytest.mark.parametrize(
    ("base", "factor", "expected"),
    [
        ({"optimizer": "sgd"}, "optimizer.learning_rate", ("/base/optimizer", "model_type")),
        ({"optimizer": {"l2": 1}}, "optimizer.l2.x", ("/base/optimizer/l2", "model_type")),
        ({"optimizer": {"l2": 0}}, "optimizer.l2", ("/factors/optimizer.l2", "given_twice")),
        ({"optimizer": {"x": 1}}, "optimizer.l2", ("/base/optimizer/x", "extra_forbidden")),
    ],
)
def test_experiments_refuses_a_factor_that_base_fixes(
    base: dict[str, Any], factor: str, expected: tuple[str, str]
) -> None:
    assert problems(base={"activation": "relu", **base}, factors={factor: [0.5]}) == [expected]


def test_experiments_reports_a_repeated_mistake_once() -> None:
    assert problems(base={"activation": "relu", "epochs": 0}, factors={"batch_size": list(range(2, 102))}) == [
        ("/base/epochs", "greater_than_equal")
    ]


@pytest.mark.timeout(10)
def test_experiments_checks_a_megabyte_of_mistakes_in_seconds() -> None:
    wide = {f"x{number}": 1 for number in range(50_000)}
    assert len(problems(base={"model": wide}, factors={"epochs": list(range(1, 1000))})) > 50_000
    assert problems(factors={"epochs": [], "batch_size": list(range(100_000))}) == [("/factors/epochs", "too_short")]
    with pytest.raises(ValueError, match="at most 50 items"):
        study(factors={name: [1] for name in wide})


def test_study_refuses_deeply_nested_values() -> None:
    deep: Any = 1
    for _ in range(50):
        deep = [deep]
    for fields in ({"base": {"x": deep}}, {"factors": {"epochs": [deep]}}):
        with pytest.raises(ValueError, match="at most 8 levels"):
            study(**fields)
