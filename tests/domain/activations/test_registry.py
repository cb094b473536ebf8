"""Registered formulas in specs, without a database."""

from typing import Any

import pytest
from pydantic import ValidationError

from service.domain.activations.catalogue import CATALOGUE
from service.domain.activations.registry import REGISTRY, RESERVED, Registration, is_name
from service.domain.activations.selection import ActivationSpec
from service.domain.spec import ExperimentSpec, ExperimentSubmission
from service.domain.study import StudySpec

KEPT = {"name": "mine", "version": 2, "formula": "a * x", "parameters": {"a": {"value": 3.0, "learnable": True}}}


class Known:
    """A registry of one name with two versions."""

    archived = False

    def find(self, name: str, version: int | None) -> Registration | None:
        formulas = {1: "x + a", 2: "a * x"}
        if name != "mine" or version not in (None, *formulas):
            return None
        parameters = {"a": {"value": 3.0, "learnable": True}}
        return Registration(name, version or 2, 2, False, formulas[version or 2], parameters)


def read(selection: Any) -> ActivationSpec:
    return ActivationSpec.model_validate(selection, context={REGISTRY: Known()})


def test_selection_of_a_stored_spec_needs_no_registry() -> None:
    spec = ExperimentSubmission.model_validate({"activation": "mine"}, context={REGISTRY: Known()}).spec
    stored = spec.model_dump(mode="json")
    assert stored["activation"] == KEPT
    again = ExperimentSpec.model_validate(stored)
    assert again == spec
    assert again.condition == spec.condition


def test_selection_of_a_registered_formula_has_its_definition() -> None:
    registered, bare = (
        read({"name": "mine"}),
        ActivationSpec(formula="a * x", parameters=read({"name": "mine"}).parameters),
    )
    assert registered.definition == bare.definition
    assert registered.values == bare.values == {"a": 3.0}
    assert read({"name": "mine", "version": 1}).label == "mine v1 (a=3 learnable)"


def test_selection_recognises_a_registered_row_of_the_catalogue() -> None:
    spec = ActivationSpec.model_validate({"name": "mine", "version": 1, "formula": "x * sigmoid(x)"})
    assert spec.definition is CATALOGUE["silu"]
    assert spec.label == "mine v1"


def test_selection_keeps_a_version_whose_name_is_now_in_the_catalogue() -> None:
    spec = ActivationSpec.model_validate({"name": "relu", "version": 1, "formula": "x + 1", "parameters": {}})
    assert spec.definition.formula == "x + 1"
    assert spec.model_dump()["name"] == "relu"


@pytest.mark.parametrize("selection", ["mine", {"name": "mine"}, {"name": "mine", "version": 2}])
def test_selection_refuses_a_registered_name_without_a_registry(selection: Any) -> None:
    with pytest.raises(ValidationError, match=r"Unknown activation|No formula is registered"):
        ExperimentSpec.model_validate({"activation": selection})


def test_study_experiments_resolve_registered_formulas() -> None:
    study = StudySpec(factors={"activation": ["relu", "mine", {"name": "mine", "version": 1}]}, seeds=[0])
    labels = [submission.activation.label for submission in study.experiments(Known())]
    assert labels == ["relu", "mine v2 (a=3 learnable)", "mine v1 (a=3 learnable)"]


@pytest.mark.parametrize("name", ["a", "a_1", "x" * 60])
def test_is_name_accepts(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize("name", ["", "A", "1", "_a", "a-b", "a\n", "é", "x" * 61, "a b"])
def test_is_name_refuses(name: str) -> None:
    assert not is_name(name)


def test_reserved_names_are_those_of_the_language_and_paths() -> None:
    assert {"exp", "where", "x", "preview"} <= RESERVED
    assert not RESERVED & CATALOGUE.keys()
