"""The formulas that clients register under a name, and their versions."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, WithJsonSchema, field_validator, model_validator
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from service.domain.activations.finite import check_finite_somewhere
from service.domain.activations.parameters import (
    ParameterValue,
    canonical_text,
    check_all_used,
    check_parameters_of_formula,
    with_defaults,
)
from service.domain.activations.registry import LONGEST_NAME, RESERVED, is_name
from service.domain.activations.selection import ActivationSpec
from service.domain.activations.selection_schema import (
    FORMULA_EXAMPLE,
    FORMULA_TEXT_SCHEMA,
    PARAMETERS_OF_FORMULA_SCHEMA,
    REGISTERED_NAME_SCHEMA,
)
from service.domain.formulas.parser import parse
from service.domain.strict import StrictModel
from service.domain.text import Notes


def _complete(parameters: Any) -> Any:
    return with_defaults({}, parameters)


def _checked(parameters: dict[str, ParameterValue]) -> dict[str, ParameterValue]:
    check_parameters_of_formula(parameters)
    return parameters


def _registrable(name: str) -> str:
    if not is_name(name):
        raise PydanticCustomError(
            "not_a_name",
            "A name has at most {most} small letters, digits and underscores, and starts with a letter",
            {"most": LONGEST_NAME},
        )
    if name in RESERVED:
        raise PydanticCustomError("reserved_name", "This name has another meaning; choose another one")
    return name


class NewVersion(StrictModel):
    """A formula with a default for each of its parameters, and a note on its purpose."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [FORMULA_EXAMPLE | {"note": "Mish that learns how sharply it bends."}]}
    )

    parameters: Annotated[
        dict[str, ParameterValue],
        BeforeValidator(_complete),
        AfterValidator(_checked),
        WithJsonSchema(PARAMETERS_OF_FORMULA_SCHEMA | {"default": {}}),
    ] = {}
    formula: Annotated[str, WithJsonSchema(FORMULA_TEXT_SCHEMA)]  # validated after the parameters, whose names it uses
    note: Notes | None = None

    @field_validator("formula")
    @classmethod
    def _canonical(cls, text: str, info: ValidationInfo) -> str:
        return canonical_text(text, info.data["parameters"]) if "parameters" in info.data else text

    @model_validator(mode="after")
    def _can_be_trained(self) -> Self:
        check_all_used(parse(self.formula, self.parameters), self.parameters)
        check_finite_somewhere(self.selection)
        return self

    @property
    def selection(self) -> ActivationSpec:
        """The formula as the activation of a spec, without the name."""
        return ActivationSpec(formula=self.formula, parameters=self.parameters)


class NewActivation(NewVersion):
    """A formula and the name under which specs may use it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "soft_mish", **FORMULA_EXAMPLE, "note": "Mish that learns how sharply it bends."}]
        }
    )

    name: Annotated[str, AfterValidator(_registrable), WithJsonSchema(REGISTERED_NAME_SCHEMA)]
