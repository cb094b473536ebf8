"""How a spec names an activation: a row of the catalogue, with parameters where they differ from the defaults."""

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, WithJsonSchema, field_validator
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from service.domain.activations.catalogue import CATALOGUE, Parameter
from service.domain.part import Part


class ParameterValue(Part):
    """A parameter of an activation: its value, or where learning starts."""

    value: float
    learnable: bool = False


class ActivationSpec(Part):
    """A function of the catalogue with its parameters; those not given take the catalogue's defaults."""

    model_config = ConfigDict(validate_default=True)

    name: str
    parameters: dict[str, ParameterValue] = {}

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in CATALOGUE:
            known = ", ".join(sorted(CATALOGUE))
            raise PydanticCustomError(
                "unknown_activation", "Unknown activation; choose one of {known}", {"known": known}
            )
        return name

    @field_validator("parameters", mode="before")
    @classmethod
    def _complete(cls, given: Any, info: ValidationInfo) -> Any:
        row = CATALOGUE.get(info.data.get("name", ""))
        if row is None or not isinstance(given, dict):
            return given
        defaults = {p.name: {"value": p.default, "learnable": p.learnable} for p in row.parameters}
        return defaults | {name: _as_parameter(value, defaults.get(name)) for name, value in given.items()}

    @field_validator("parameters")
    @classmethod
    def _within_bounds(cls, given: dict[str, ParameterValue], info: ValidationInfo) -> dict[str, ParameterValue]:
        row = CATALOGUE.get(info.data.get("name", ""))
        if row is not None:
            bounds = {p.name: p for p in row.parameters}
            for name, parameter in given.items():
                _check_parameter(row.name, name, parameter, bounds.get(name))
        return given

    @property
    def label(self) -> str:
        """The name, followed by the parameters that differ from the catalogue's: `swish(beta=2)`."""
        changed = [
            f"{p.name}={self.parameters[p.name].value:g}" + (" learnable" if self.parameters[p.name].learnable else "")
            for p in CATALOGUE[self.name].parameters
            if self.parameters[p.name] != ParameterValue(value=p.default, learnable=p.learnable)
        ]
        return f"{self.name}({', '.join(changed)})" if changed else self.name


def _as_parameter(value: Any, default: dict[str, Any] | None) -> Any:
    """A bare number keeps the catalogue's choice of learning or not."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {**(default or {}), "value": value}
    if isinstance(value, dict) and default is not None:
        return default | value
    return value


def _check_parameter(activation: str, name: str, given: ParameterValue, known: Parameter | None) -> None:
    if known is None:
        raise PydanticCustomError(
            "unknown_parameter", "{activation} has no parameter {at}", {"activation": activation, "at": name}
        )
    if not known.minimum <= given.value <= known.maximum:
        raise PydanticCustomError(
            "parameter_out_of_bounds",
            "{at} must lie from {minimum} to {maximum}",
            {"at": name, "minimum": known.minimum, "maximum": known.maximum},
        )
    if given.learnable and not (known.may_learn or known.learnable):
        raise PydanticCustomError("not_learnable", "{at} cannot be learned", {"at": name})


def _activation_from(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


_SCHEMA = {
    "title": "Activation",
    "anyOf": [
        {"type": "string", "enum": sorted(CATALOGUE)},
        {
            "type": "object",
            "properties": {
                "name": {"type": "string", "enum": sorted(CATALOGUE)},
                "parameters": {
                    "type": "object",
                    "additionalProperties": {
                        "anyOf": [
                            {"type": "number"},
                            {
                                "type": "object",
                                "properties": {"value": {"type": "number"}, "learnable": {"type": "boolean"}},
                                "additionalProperties": False,
                            },
                        ]
                    },
                },
            },
            "required": ["name"],
            "additionalProperties": False,
        },
    ],
    "description": "A name of the catalogue, or a name with its parameters.",
    "examples": ["relu", {"name": "swish", "parameters": {"beta": 1.5}}],
}

ActivationChoice = Annotated[
    ActivationSpec, BeforeValidator(_activation_from), WithJsonSchema(_SCHEMA, mode="validation")
]
