"""How a spec names an activation: a row of the catalogue, a registered formula, or a formula of one's own."""

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
    completed_over,
)
from service.domain.activations.recognition import bindings
from service.domain.activations.registry import LATEST_VERSION, REGISTRY, is_name, spelt_out
from service.domain.activations.selection_schema import SCHEMA, SPELT_OUT_SCHEMA
from service.domain.formulas.expression import Expression, formula, number
from service.domain.formulas.parser import parse
from service.domain.formulas.rewriting import stable
from service.domain.part import Part

_SWISHES = frozenset({"swish", "swish2"})  # whose kernels know no beta


class ActivationSpec(Part):
    """A function of the catalogue with its parameters, of which those not given take the catalogue's defaults; or a
    formula with every parameter that it names, kept as its canonical text; or a registered formula, which has name and
    version beside it.

    A registered name needs a Registry in the validation context, which gives its formula and checks one that came with
    it. Without one, as when a stored spec is read again, name, version and formula are taken as they are.
    """

    model_config = ConfigDict(validate_default=True)

    version: int | None = Field(None, ge=1, le=LATEST_VERSION)  # before the name, whose meaning it decides
    name: str | None = None
    parameters: dict[str, ParameterValue] = {}
    formula: str | None = None  # after the parameters, whose names it may use

    @model_validator(mode="before")
    @classmethod
    def _registered(cls, given: Any, info: ValidationInfo) -> Any:
        registry = (info.context or {}).get(REGISTRY)
        return given if registry is None else spelt_out(given, registry)

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
    def _complete(cls, given: Any, info: ValidationInfo) -> Any:
        row = None if info.data.get("version") else CATALOGUE.get(info.data.get("name") or "")
        defaults = {p.name: {"value": p.default, "learnable": p.learnable} for p in row.parameters} if row else {}
        return completed_over(defaults, given)

    @field_validator("parameters")
    @classmethod
    def _within_bounds(cls, given: dict[str, ParameterValue], info: ValidationInfo) -> dict[str, ParameterValue]:
        named = info.data.get("name")
        if named is not None and info.data.get("version") is None:
            bounds = {p.name: p for p in CATALOGUE[named].parameters}
            for name, parameter in given.items():
                check_parameter(named, name, parameter, bounds.get(name))
        elif "name" in info.data:
            check_parameters_of_formula(given)
        return given

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
    def _without_what_it_is_not(self, whole: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = whole(self)
        shown = [name for name in ("name", "version", "formula") if getattr(self, name) is not None]
        return {field: fields[field] for field in (*shown, "parameters") if field in fields}

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
        if choice.formula is None:
            return CATALOGUE[choice.name or ""]
        parameters = tuple(
            Parameter(name, p.value, -LARGEST_PARAMETER, LARGEST_PARAMETER, p.learnable, may_learn=True)
            for name, p in self.parameters.items()
        )
        return Activation("", "Formula", stable(self._tree()), "A formula of one's own.", parameters)

    @property
    def fused(self) -> bool:
        """Whether training computes it by one kernel made for it, and not op by op."""
        choice = self.recognised
        beta = None if choice.name not in _SWISHES else choice.parameters["beta"]
        return choice.formula is None and beta in (None, ParameterValue(value=1.0))

    @property
    def values(self) -> dict[str, float]:
        """A number for every name in the definition's expression, as in evaluation mode or where learning starts."""
        return self.definition.values(**{name: p.value for name, p in self.recognised.parameters.items()})

    @property
    def label(self) -> str:
        """The name with the parameters that differ from the catalogue's, `swish(beta=2)`; or the formula, or its
        registered name and version, with all of its parameters: `x * sigmoid(a * x) (a=2 learnable)`, `mine v2`."""
        if self.formula is not None:
            text = self.formula if self.name is None else f"{self.name} v{self.version}"
            parameters = ", ".join(_shown(name, parameter) for name, parameter in sorted(self.parameters.items()))
            return f"{text} ({parameters})" if parameters else text
        changed = [
            _shown(p.name, self.parameters[p.name])
            for p in CATALOGUE[self.name or ""].parameters
            if self.parameters[p.name] != ParameterValue(value=p.default, learnable=p.learnable)
        ]
        return f"{self.name}({', '.join(changed)})" if changed else f"{self.name}"


def _shown(name: str, parameter: ParameterValue) -> str:
    return f"{name}={formula(number(parameter.value))}" + (" learnable" if parameter.learnable else "")


def _activation_from(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


ActivationChoice = Annotated[
    ActivationSpec, BeforeValidator(_activation_from), WithJsonSchema(SCHEMA, mode="validation")
]

SpeltOutActivation = Annotated[ActivationSpec, WithJsonSchema(SPELT_OUT_SCHEMA, mode="validation")]
