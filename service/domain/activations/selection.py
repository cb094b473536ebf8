"""The activation of a spec: a function of the catalogue, a registered formula, or a formula."""

from itertools import product
from typing import Annotated, Any, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
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
from service.domain.activations.parameters import (
    LARGEST_PARAMETER,
    ParameterValue,
    canonical_text,
    check_all_used,
    check_parameter,
    check_parameters_of_formula,
    with_defaults,
)
from service.domain.activations.recognition import bindings
from service.domain.activations.registry import LATEST_VERSION, REGISTRY, is_name, with_registered_formula
from service.domain.activations.selection_schema import SCHEMA, SPELT_OUT_SCHEMA
from service.domain.activations.spellings import spellings
from service.domain.formulas.expression import Expression, formula, number
from service.domain.formulas.parser import parse
from service.domain.formulas.rewriting import stable
from service.domain.strict import StrictModel

_SWISHES = frozenset({"swish", "swish2"})  # their fused kernels are for beta = 1


class ActivationSpec(StrictModel):
    """An activation in one of three forms.

    * A function of the catalogue: its name and its parameters, which default to the catalogue's.
    * A formula with a value for each of its parameters. It is stored as its canonical text.
    * A registered formula: its name, version, formula and parameters.

    A registered name needs a Registry in the validation context under the key REGISTRY. It completes the formula, or
    checks one that stands beside the name. Without a Registry, as for a stored spec, name, version and formula are
    taken as they are.
    """

    model_config = ConfigDict(validate_default=True)

    version: int | None = Field(None, ge=1, le=LATEST_VERSION)  # validated before the name, whose meaning it decides
    name: str | None = None
    parameters: dict[str, ParameterValue] = {}
    formula: str | None = None  # validated after the parameters, whose names it uses

    @model_validator(mode="before")
    @classmethod
    def _registered(cls, selection: Any, info: ValidationInfo) -> Any:
        registry = (info.context or {}).get(REGISTRY)
        return selection if registry is None else with_registered_formula(selection, registry)

    @field_validator("name")
    @classmethod
    def _known(cls, name: str | None, info: ValidationInfo) -> str | None:
        registered = info.data.get("version") is not None
        if name is None or (is_name(name) if registered else name in CATALOGUE):
            return name
        raise PydanticCustomError(
            "unknown_activation",
            "Unknown activation; choose one of {known}, or register a formula as this name (POST /activations)",
            {"known": ", ".join(sorted(CATALOGUE))},
        )

    @field_validator("parameters", mode="before")
    @classmethod
    def _complete(cls, parameters: Any, info: ValidationInfo) -> Any:
        row = None if info.data.get("version") else CATALOGUE.get(info.data.get("name") or "")
        defaults = {p.name: {"value": p.default, "learnable": p.learnable} for p in row.parameters} if row else {}
        return with_defaults(defaults, parameters)

    @field_validator("parameters")
    @classmethod
    def _within_bounds(cls, parameters: dict[str, ParameterValue], info: ValidationInfo) -> dict[str, ParameterValue]:
        activation = info.data.get("name")
        if activation is not None and info.data.get("version") is None:
            known = {parameter.name: parameter for parameter in CATALOGUE[activation].parameters}
            for name, value in parameters.items():
                check_parameter(activation, name, value, known.get(name))
        elif "name" in info.data:
            check_parameters_of_formula(parameters)
        return parameters

    @field_validator("formula")
    @classmethod
    def _canonical(cls, text: str | None, info: ValidationInfo) -> str | None:
        if text is None or "parameters" not in info.data:
            return text
        return canonical_text(text, info.data["parameters"])

    @model_validator(mode="after")
    def _one_of_the_three(self) -> Self:
        if self.name is None and (self.formula is None or self.version is not None):
            raise PydanticCustomError("no_activation", "A name or a formula is required", {"at": "name"})
        if self.version is not None and self.formula is None:
            raise PydanticCustomError("unknown_activation", "No formula is registered under this name", {"at": "name"})
        if self.version is None and self.name is not None and self.formula is not None:
            raise PydanticCustomError("two_activations", "Give a name or a formula, not both", {"at": "formula"})
        if self.formula is not None:
            check_all_used(self._tree(), self.parameters)
        return self

    @model_serializer(mode="wrap")
    def _without_nulls(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = serialize(self)
        names = [name for name in ("name", "version", "formula") if getattr(self, name) is not None]
        return {field: fields[field] for field in (*names, "parameters") if field in fields}

    def _tree(self) -> Expression:
        return parse(self.formula or "", self.parameters)

    @property
    def recognised(self) -> "ActivationSpec":
        """The function of the catalogue that the formula is, with its parameters and which are learned; else itself."""
        if self.formula is None:
            return self
        tree = stable(self._tree())
        values = {name: parameter.value for name, parameter in self.parameters.items()}
        learned = {name for name, parameter in self.parameters.items() if parameter.learnable}
        fixed = {name: value for name, value in values.items() if name not in learned}
        for spelling, row in product(spellings(tree, fixed), CATALOGUE.values()):
            bound = bindings(row, spelling, values, learned)
            if bound is not None:
                parameters = {name: {"value": value, "learnable": name in learned} for name, value in bound.items()}
                return ActivationSpec.model_validate({"name": row.name, "parameters": parameters})
        return self

    @property
    def definition(self) -> Activation:
        """The function that training computes: a row of the catalogue, or the formula in its stable form."""
        recognised = self.recognised
        if recognised.formula is None:
            return CATALOGUE[recognised.name or ""]
        parameters = tuple(
            Parameter(name, p.value, -LARGEST_PARAMETER, LARGEST_PARAMETER, p.learnable, may_learn=True)
            for name, p in self.parameters.items()
        )
        return Activation("", "Formula", stable(self._tree()), "A formula of one's own.", parameters)

    @property
    def fused(self) -> bool:
        """True if training computes it by one kernel, False if op by op."""
        recognised = self.recognised
        beta = None if recognised.name not in _SWISHES else recognised.parameters["beta"]
        return recognised.formula is None and beta in (None, ParameterValue(value=1.0))

    @property
    def values(self) -> dict[str, float]:
        """A value for each name in the definition's expression, as in evaluation mode and before any training."""
        return self.definition.values(**{name: p.value for name, p in self.recognised.parameters.items()})

    @property
    def label(self) -> str:
        """A text for people: the name with the parameters that differ from the catalogue's, `swish(beta=2)`; or the
        formula, or its registered name and version, with all parameters: `x * sigmoid(a * x) (a=2 learnable)`,
        `mine v2`."""
        if self.formula is not None:
            text = self.formula if self.name is None else f"{self.name} v{self.version}"
            parameters = ", ".join(
                _parameter_label(name, parameter) for name, parameter in sorted(self.parameters.items())
            )
            return f"{text} ({parameters})" if parameters else text
        changed = [
            _parameter_label(p.name, self.parameters[p.name])
            for p in CATALOGUE[self.name or ""].parameters
            if self.parameters[p.name] != ParameterValue(value=p.default, learnable=p.learnable)
        ]
        return f"{self.name}({', '.join(changed)})" if changed else f"{self.name}"


def _parameter_label(name: str, parameter: ParameterValue) -> str:
    return f"{name}={formula(number(parameter.value))}" + (" learnable" if parameter.learnable else "")


def _with_name(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


ActivationSelection = Annotated[ActivationSpec, BeforeValidator(_with_name), WithJsonSchema(SCHEMA, mode="validation")]
"""An activation that may be a bare name."""

SpeltOutActivation = Annotated[ActivationSpec, WithJsonSchema(SPELT_OUT_SCHEMA, mode="validation")]
"""An activation that is an object."""
