"""How a spec names an activation: a row of the catalogue, or a formula of one's own; each with its parameters."""

from typing import Annotated, Any, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from service.domain.activations.activation import Activation, Parameter
from service.domain.activations.catalogue import CATALOGUE
from service.domain.activations.expression import Expression, Reference, formula, nodes, number
from service.domain.activations.language import LONGEST, canonical, check_name, parse
from service.domain.activations.recognition import bindings
from service.domain.activations.stability import stable
from service.domain.activations.tokens import FormulaError
from service.domain.part import Part
from service.domain.text import printable

MOST_PARAMETERS = 8  # of a formula
LARGEST_PARAMETER = 1e6  # of a formula, where learning starts


class ParameterValue(Part):
    """A parameter of an activation: its value, or where learning starts."""

    value: float
    learnable: bool = False


class ActivationSpec(Part):
    """A function of the catalogue with its parameters, of which those not given take the catalogue's defaults; or a
    formula with every parameter that it names. A formula is kept as its canonical text."""

    model_config = ConfigDict(validate_default=True)

    name: str | None = None
    parameters: dict[str, ParameterValue] = {}
    formula: str | None = None  # after the parameters, whose names it may use

    @field_validator("name")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        if name is not None and name not in CATALOGUE:
            known = ", ".join(sorted(CATALOGUE))
            raise PydanticCustomError(
                "unknown_activation", "Unknown activation; choose one of {known}", {"known": known}
            )
        return name

    @field_validator("parameters", mode="before")
    @classmethod
    def _complete(cls, given: Any, info: ValidationInfo) -> Any:
        if not isinstance(given, dict):
            return given
        if any(isinstance(name, str) and printable(name) != name for name in given):
            # Pydantic fails to write half a surrogate pair into a message or a location.
            raise PydanticCustomError("lone_surrogate", "Half a surrogate pair is not a character")
        row = CATALOGUE.get(info.data.get("name") or "")
        defaults = {p.name: {"value": p.default, "learnable": p.learnable} for p in row.parameters} if row else {}
        return defaults | {name: _as_parameter(value, defaults.get(name)) for name, value in given.items()}

    @field_validator("parameters")
    @classmethod
    def _within_bounds(cls, given: dict[str, ParameterValue], info: ValidationInfo) -> dict[str, ParameterValue]:
        named = info.data.get("name")
        if named is not None:
            bounds = {p.name: p for p in CATALOGUE[named].parameters}
            for name, parameter in given.items():
                _check_parameter(named, name, parameter, bounds.get(name))
        elif "name" in info.data:
            _check_parameters_of_formula(given)
        return given

    @field_validator("formula")
    @classmethod
    def _canonical(cls, text: str | None, info: ValidationInfo) -> str | None:
        if text is None or "parameters" not in info.data:
            return text
        try:
            return canonical(text, info.data["parameters"])
        except FormulaError as error:
            context = {"reason": str(error), "column": error.column}
            raise PydanticCustomError("invalid_formula", "{reason}", context) from error

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.name is None and self.formula is None:
            raise PydanticCustomError("no_activation", "A name or a formula is required", {"at": "name"})
        if self.name is not None and self.formula is not None:
            raise PydanticCustomError("two_activations", "Give a name or a formula, not both", {"at": "formula"})
        if self.formula is not None:
            _check_all_used(self._tree(), self.parameters)
        return self

    @model_serializer(mode="wrap")
    def _without_what_it_is_not(self, whole: SerializerFunctionWrapHandler) -> dict[str, Any]:
        form = "name" if self.formula is None else "formula"
        fields = whole(self)
        return {field: fields[field] for field in (form, "parameters") if field in fields}

    def _tree(self) -> Expression:
        return parse(self.formula or "", self.parameters)

    @property
    def recognised(self) -> "ActivationSpec":
        """Itself, or the row of the catalogue that its formula is, with the same function, parameters and learning."""
        if self.formula is None:
            return self
        tree = stable(self._tree())
        learned = {name for name, parameter in self.parameters.items() if parameter.learnable}
        for row in CATALOGUE.values():
            found = bindings(row, tree, {name: p.value for name, p in self.parameters.items()}, learned)
            if found is not None:
                given = {name: {"value": value, "learnable": name in learned} for name, value in found.items()}
                return ActivationSpec.model_validate({"name": row.name, "parameters": given})
        return self

    @property
    def definition(self) -> Activation:
        """What is computed: the row of the catalogue, or the formula in the form that keeps its digits."""
        choice = self.recognised
        if choice.name is not None:
            return CATALOGUE[choice.name]
        parameters = tuple(
            Parameter(name, p.value, -LARGEST_PARAMETER, LARGEST_PARAMETER, p.learnable, may_learn=True)
            for name, p in self.parameters.items()
        )
        return Activation("", "Formula", stable(self._tree()), "A formula of one's own.", parameters)

    @property
    def values(self) -> dict[str, float]:
        """A number for every name in the definition's expression, as in evaluation mode or where learning starts."""
        return self.definition.values(**{name: p.value for name, p in self.recognised.parameters.items()})

    @property
    def label(self) -> str:
        """The name with the parameters that differ from the catalogue's, `swish(beta=2)`; or the formula with all of
        its parameters, `x * sigmoid(a * x) (a=2 learnable)`."""
        if self.name is None:
            parameters = ", ".join(_shown(name, parameter) for name, parameter in sorted(self.parameters.items()))
            return f"{self.formula} ({parameters})" if parameters else f"{self.formula}"
        changed = [
            _shown(p.name, self.parameters[p.name])
            for p in CATALOGUE[self.name].parameters
            if self.parameters[p.name] != ParameterValue(value=p.default, learnable=p.learnable)
        ]
        return f"{self.name}({', '.join(changed)})" if changed else self.name


def _shown(name: str, parameter: ParameterValue) -> str:
    return f"{name}={formula(number(parameter.value))}" + (" learnable" if parameter.learnable else "")


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


def _check_parameters_of_formula(given: dict[str, ParameterValue]) -> None:
    if len(given) > MOST_PARAMETERS:
        raise PydanticCustomError(
            "too_many_parameters", "A formula has at most {most} parameters", {"most": MOST_PARAMETERS}
        )
    for name, parameter in given.items():
        try:
            check_name(name)
        except ValueError as error:
            raise PydanticCustomError("parameter_name", "{reason}", {"reason": str(error), "at": name}) from error
        if abs(parameter.value) > LARGEST_PARAMETER:
            raise PydanticCustomError(
                "parameter_out_of_bounds",
                "{at} must lie from {minimum} to {maximum}",
                {"at": name, "minimum": -LARGEST_PARAMETER, "maximum": LARGEST_PARAMETER},
            )


def _check_all_used(tree: Expression, parameters: dict[str, ParameterValue]) -> None:
    unused = parameters.keys() - {node.name for node in nodes(tree) if isinstance(node, Reference)}
    if unused:
        reason = f"The formula does not use {', '.join(sorted(unused))}"
        raise PydanticCustomError("unused_parameter", "{reason}", {"reason": reason, "at": "parameters"})


def _activation_from(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


_PARAMETERS_SCHEMA = {
    "type": "object",
    "additionalProperties": {
        "anyOf": [
            {"type": "number"},
            {
                "type": "object",
                "properties": {"value": {"type": "number"}, "learnable": {"type": "boolean"}},
                "required": ["value"],
                "additionalProperties": False,
            },
        ]
    },
}
_NAMED_SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string", "enum": sorted(CATALOGUE)}, "parameters": _PARAMETERS_SCHEMA},
    "required": ["name"],
    "additionalProperties": False,
}
_FORMULA_SCHEMA = {
    "type": "object",
    "properties": {
        "formula": {"type": "string", "minLength": 1, "maxLength": LONGEST},
        "parameters": _PARAMETERS_SCHEMA | {"maxProperties": MOST_PARAMETERS},
    },
    "required": ["formula"],
    "additionalProperties": False,
}
FORMULA_EXAMPLE = {
    "formula": "x * tanh(softplus(a * x))",
    "parameters": {"a": {"value": 0.5, "learnable": True}},
}

_SCHEMA = {
    "title": "Activation",
    "anyOf": [{"type": "string", "enum": sorted(CATALOGUE)}, _NAMED_SCHEMA, _FORMULA_SCHEMA],
    "description": "A name of the catalogue, a name with its parameters, or a formula with its parameters.",
    "examples": ["relu", {"name": "swish", "parameters": {"beta": 1.5}}, FORMULA_EXAMPLE],
}

SPELT_OUT_SCHEMA = {
    "title": "SpeltOutActivation",
    "anyOf": [_NAMED_SCHEMA, _FORMULA_SCHEMA],
    "description": "A formula, or a name of the catalogue, with its parameters.",
    "examples": [FORMULA_EXAMPLE],
}

ActivationChoice = Annotated[
    ActivationSpec, BeforeValidator(_activation_from), WithJsonSchema(_SCHEMA, mode="validation")
]

SpeltOutActivation = Annotated[ActivationSpec, WithJsonSchema(SPELT_OUT_SCHEMA, mode="validation")]
