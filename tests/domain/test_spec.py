"""The spec: the article's defaults, every bound, and the condition that repetitions share."""

from typing import Any

import pytest
from pydantic import ValidationError

from service.domain.problems import field_problems
from service.domain.spec import (
    DEFAULT_LEARNING_RATE,
    ORIGINAL_FIELDS,
    ExperimentSpec,
    ExperimentSubmission,
    added_fields,
    complete,
    value_at,
)
from tests.domain.later_spec import CHANGES, LaterSpec
from tests.domain.wrong_specs import WRONG, Wrong, leaves


def spec(**fields: Any) -> ExperimentSpec:
    return ExperimentSpec.model_validate({"activation": "relu"} | fields)


def test_spec_defaults_are_the_main_articles() -> None:
    assert spec().model_dump(mode="json") == {
        "activation": {"name": "relu", "parameters": {}},
        "dataset": "mnist",
        "epochs": 20,
        "model": {
            "conv_channels": [32, 64],
            "dense_units": 128,
            "dense_layers": 1,
            "batch_norm": True,
            "pool": "max",
            "init": "glorot_uniform",
        },
        "batch_size": 128,
        "dropout": {"conv": 0.25, "dense": 0.5},
        "seed": 0,
        "validation_fraction": 0.1,
        "train_samples": None,
        "classes": None,
        "optimizer": {"name": "adam", "learning_rate": 1e-3, "momentum": 0.0, "l2": 1e-5},
        "schedule": "reduce_on_plateau",
        "max_seconds": None,
        "output": "softmax",
        "early_stopping": None,
        "precision": "auto",
        "diagnostics": True,
    }


# --- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_spec_names_a_wrong_field_with_the_bound_and_the_value(wrong: Wrong) -> None:
    with pytest.raises(ValidationError) as caught:
        ExperimentSubmission.model_validate(wrong.body)
    (problem,) = field_problems(caught.value.errors())
    assert problem.pointer == wrong.pointer
    assert wrong.says in str(problem)


def test_wrong_values_exist_for_every_field() -> None:
    assert {wrong.path for wrong in WRONG} >= set(leaves(ExperimentSubmission))


def test_spec_refuses_an_unknown_field_at_every_level() -> None:
    body = {"activation": {"name": "relu", "x": 1}, "x": 1, "a/b": 1, "c~d": 1} | {
        part: {"x": 1} for part in ("model", "optimizer", "dropout", "early_stopping")
    }
    with pytest.raises(ValidationError) as caught:
        ExperimentSubmission.model_validate(body)
    problems = field_problems(caught.value.errors())
    assert {problem.pointer for problem in problems} == {
        "/activation/x", "/x", "/a~1b", "/c~0d", "/model/x", "/optimizer/x", "/dropout/x", "/early_stopping/x",
    }  # fmt: skip
    assert {problem.detail for problem in problems} == {"There is no such field"}


# --- what is accepted ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"epochs": 1}, {"epochs": 1000}, {"batch_size": 8192}, {"batch_size": 2}, {"seed": 2**53 - 1},
        {"batch_size": 1, "model": {"batch_norm": False}}, {"dropout": 0}, {"dropout": 0.999}, {"max_seconds": 1},
        {"validation_fraction": 0.5}, {"validation_fraction": 1e-9}, {"train_samples": 20}, {"train_samples": 54_000},
        {"dataset": "digits", "train_samples": 1168}, {"classes": [0, 9]}, {"classes": list(range(10))},
        {"model": {"conv_channels": [1, 512], "dense_units": 4096, "dense_layers": 20}},
        {"model": {"conv_channels": []}}, {"model": {"dense_layers": 0}},
        {"model": {"conv_channels": [], "dense_layers": 0}, "batch_size": 1},
        {"optimizer": {"name": "sgd", "momentum": 0.9, "learning_rate": 100}}, {"optimizer": {"l2": 0}},
        {"early_stopping": {"patience": 1000, "min_delta": 100}}, {"early_stopping": {}},
    ],
    ids=str,
)  # fmt: skip
def test_spec_accepts_the_bounds_themselves(fields: dict[str, Any]) -> None:
    spec(**fields)


@pytest.mark.parametrize("text", ["", "ärger 🎉", "two\nlines\tand a tab", "\u202eoverride", "x" * 200])
def test_submission_accepts_any_storable_text_as_a_name(text: str) -> None:
    assert ExperimentSubmission(activation="relu", name=text).name == text  # type: ignore[arg-type]  # a short form


@pytest.mark.parametrize(("name", "rate"), DEFAULT_LEARNING_RATE.items())
def test_optimizer_has_its_own_default_learning_rate(name: str, rate: float) -> None:
    assert spec(optimizer={"name": name}).optimizer.learning_rate == rate
    assert spec(optimizer={"name": name, "learning_rate": None}).optimizer.learning_rate == rate
    assert spec(optimizer={"name": name, "learning_rate": 0.5}).optimizer.learning_rate == 0.5


def test_train_samples_leave_room_for_the_validation_share() -> None:
    spec(dataset="digits", train_samples=649, validation_fraction=0.5)
    with pytest.raises(ValidationError, match="digits has 649 training images"):
        spec(dataset="digits", train_samples=650, validation_fraction=0.5)


# --- the same experiment -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "other_fields"),
    [
        ({"dropout": 0.25}, {"dropout": {"conv": 0.25, "dense": 0.25}}),
        ({"classes": [3, 1]}, {"classes": [1, 3]}),
        ({"optimizer": {"name": "sgd"}}, {"optimizer": {"name": "sgd", "learning_rate": 0.01}}),
        ({"activation": "swish"}, {"activation": {"name": "swish", "parameters": {"beta": 1}}}),
        ({"seed": 1}, {"seed": 2}),
        ({"dropout": 0}, {"dropout": 0.0}),
    ],
    ids=str,
)
def test_condition_is_equal_for_two_spellings_of_one_spec(fields: dict[str, Any], other_fields: dict[str, Any]) -> None:
    assert spec(**fields).condition == spec(**other_fields).condition


def test_condition_differs_for_a_change_of_any_field_but_the_seed() -> None:
    changes: list[dict[str, Any]] = [
        {"activation": "tanh"}, {"dataset": "digits"}, {"epochs": 19}, {"model": {"dense_units": 64}},
        {"batch_size": 64}, {"dropout": 0.1}, {"validation_fraction": 0.2}, {"train_samples": 100}, {"classes": [0, 1]},
        {"optimizer": {"l2": 0}}, {"schedule": "none"}, {"max_seconds": 60}, {"output": "sigmoid"},
        {"early_stopping": {}}, {"precision": "float32"}, {"diagnostics": False},
    ]  # fmt: skip
    assert {name for change in changes for name in change} == ExperimentSpec.model_fields.keys() - {"seed"}
    assert len({spec(**change).condition for change in [{}, *changes]}) == len(changes) + 1


# --- fields that are added later -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "condition"),
    [
        ({"seed": 7}, "ec60bb4f397d19a1ad3d9b9c91ebc9afe2235f195bd9ca48038906c620a9961b"),
        (
            {
                "activation": {"name": "swish", "parameters": {"beta": {"value": 1.5, "learnable": True}}},
                "early_stopping": {},
            },
            "39ce6de59d69b029bfcc608a68d33b1a007209f2169f6c48575157473b10c4bb",
        ),
    ],
    ids=str,
)
def test_condition_is_that_of_version_0_1_0(fields: dict[str, Any], condition: str) -> None:
    assert spec(**fields).condition == condition


def test_original_fields_are_paths_of_the_spec() -> None:
    paths = {path for path in leaves(ExperimentSpec) if not path.startswith("activation.")} | {"activation"}
    parents = {path.rpartition(".")[0] for path in paths} - {""}
    assert (paths | parents) - added_fields(ExperimentSpec).keys() == ORIGINAL_FIELDS


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("fields", [{}, {"early_stopping": {"patience": 3}}, {"model": {"dense_units": 64}}], ids=str)
def test_condition_leaves_out_added_fields_at_their_defaults(fields: dict[str, Any]) -> None:
    assert LaterSpec.model_validate({"activation": "relu"} | fields).condition == spec(**fields).condition


@pytest.mark.usefixtures("later")
def test_condition_holds_added_fields_with_other_values() -> None:
    later_specs = [LaterSpec.model_validate({"activation": "relu"} | change) for change in CHANGES]
    conditions = {
        spec().condition,
        spec(early_stopping={}).condition,
        *(later_spec.condition for later_spec in later_specs),
    }
    assert len(conditions) == 2 + len(CHANGES)


@pytest.mark.usefixtures("later")
def test_complete_fills_in_added_fields() -> None:
    older, newer = spec(early_stopping={}), LaterSpec.model_validate({"activation": "relu", "early_stopping": {}})
    assert complete(older.model_dump(mode="json")) == newer.model_dump(mode="json")
    assert complete({"epochs": 1}).items() >= {"epochs": 1, "label_smoothing": 0.0, "augmentation": None}.items()


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize(
    ("path", "value"),
    [("label_smoothing", 0.0), ("model.width", 1.0), ("augmentation.shift", None), ("early_stopping.warmup", None)],
)
def test_value_at_takes_the_default_where_the_spec_is_older_than_the_field(path: str, value: object) -> None:
    assert value_at(spec().model_dump(mode="json"), path) == value


def test_value_at_refuses_a_path_that_no_spec_has() -> None:
    with pytest.raises(KeyError):
        value_at(spec().model_dump(mode="json"), "label_smoothing")


def test_added_fields_refuses_a_field_without_a_default() -> None:
    class Broken(ExperimentSpec):
        width: float

    with pytest.raises(TypeError, match="width was added to the spec without a default"):
        added_fields(Broken)


def test_spec_is_equal_after_being_stored_as_json() -> None:
    original = spec(
        activation={"name": "swish", "parameters": {"beta": {"value": 1.5, "learnable": True}}}, classes=[2, 1]
    )
    assert ExperimentSpec.model_validate(original.model_dump(mode="json")) == original


def test_submission_spec_is_without_filing_fields() -> None:
    filed = ExperimentSubmission.of(spec(epochs=2), name="n", tags=["b", "a", "b"], notes="x", priority=3)
    assert filed.spec == spec(epochs=2)
    assert filed.tags == ["b", "a"]
