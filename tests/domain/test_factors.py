"""Factors: the paths that a comparison may group by, and their values."""

from typing import Any

import pytest

from service.domain import factors
from service.domain.comparisons.cells import Factor
from service.domain.errors import Invalid
from service.domain.spec import ExperimentSpec
from tests.domain.later_spec import CHANGES, LaterSpec
from tests.domain.wrong_specs import leaves


def stored(**fields: Any) -> dict[str, Any]:
    return ExperimentSpec.model_validate({"activation": "relu"} | fields).model_dump(mode="json")


def test_groupable_leads_every_field_but_the_seed_to_a_factor() -> None:
    assert "seed" not in factors.FACTORS
    for path in leaves(ExperimentSpec):
        assert path == "seed" or factors.groupable(path) in factors.FACTORS


@pytest.mark.parametrize("path", factors.FACTORS)
def test_value_of_each_factor_is_plain(path: str) -> None:
    for spec in (stored(), stored(early_stopping={}, classes=[0, 1], dropout=0.1)):
        assert isinstance(factors.value(spec, path), str | int | float | bool | None)


@pytest.mark.parametrize(
    ("fields", "path", "expected"),
    [
        ({}, "activation", "relu"),
        ({"activation": {"name": "swish", "parameters": {"beta": 2}}}, "activation", "swish(beta=2)"),
        ({"dropout": 0.25}, "dropout", 0.25),
        ({}, "dropout", '{"conv": 0.25, "dense": 0.5}'),
        ({}, "dropout.dense", 0.5),
        ({"classes": [1, 0]}, "classes", "[0, 1]"),
        ({}, "early_stopping", None),
        ({}, "model.batch_norm", True),
        ({}, "optimizer.learning_rate", 1e-3),
    ],
)
def test_value_at_a_path(fields: dict[str, Any], path: str, expected: Factor) -> None:
    assert factors.value(stored(**fields), path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("epochs", "epochs"),
        ("dropout.conv", "dropout.conv"),
        ("activation.parameters.beta.value", "activation"),
        ("early_stopping.patience", "early_stopping"),
    ],
)
def test_groupable_of_a_studys_factor(path: str, expected: str) -> None:
    assert factors.groupable(path) == expected


@pytest.mark.parametrize("paths", [["seed"], ["epochs", "epoch"], [""], ["\0"], ["activation.name"], ["epochs"] * 2])
def test_check_refuses_an_unknown_or_repeated_path(paths: list[str]) -> None:
    with pytest.raises(Invalid) as caught:
        factors.check(paths, "group_by")
    assert [problem.pointer for problem in caught.value.errors] == ["group_by"]


def test_differing_names_fields_but_not_the_seed() -> None:
    assert factors.differing(stored(seed=1), stored(seed=2)) == []
    assert factors.differing(stored(), stored(epochs=1, dropout=0)) == ["epochs", "dropout"]
    assert factors.differing({"old": 1}, {"new": None, "newer": 2}) == ["old", "newer"]


@pytest.mark.usefixtures("later")
def test_differing_takes_a_missing_added_field_for_its_default() -> None:
    older, newer = stored(early_stopping={}), LaterSpec.model_validate({"activation": "relu", "early_stopping": {}})
    assert factors.differing(older, newer.model_dump(mode="json")) == []
    assert factors.differing(factors.without(older, ["model"]), factors.without(newer.model_dump(), ["model"])) == []


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_differing_names_an_added_field_with_another_value(change: dict[str, Any]) -> None:
    older = stored(early_stopping={} if "early_stopping" in change else None)
    newer = LaterSpec.model_validate({"activation": "relu"} | change).model_dump(mode="json")
    assert factors.differing(older, newer) == list(change)
    assert factors.differing(newer, older) == list(change)


@pytest.mark.usefixtures("later")
def test_value_of_an_added_field_is_its_default_in_an_older_spec() -> None:
    assert factors.value(stored(), "model.width") == 1.0
    assert factors.value(stored(), "augmentation") is None
