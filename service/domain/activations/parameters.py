"""Complete and check the parameters of activations, and formulas against their parameters."""

from collections.abc import Collection, Mapping
from typing import Any

from pydantic_core import PydanticCustomError

from service.domain.activations.activation import Parameter
from service.domain.formulas.expression import Expression, Reference, nodes
from service.domain.formulas.parser import canonical, check_name
from service.domain.formulas.tokens import FormulaError
from service.domain.strict import StrictModel
from service.domain.text import printable

MOST_PARAMETERS = 8  # of a formula
LARGEST_PARAMETER = 1e6  # largest size of the value of a formula's parameter, which training may exceed


class ParameterValue(StrictModel):
    """The value of a parameter, from which training starts if it is learnable."""

    value: float
    learnable: bool = False


def with_defaults(defaults: Mapping[str, Mapping[str, Any]], parameters: Any) -> Any:
    """Complete parameters, as JSON, by the defaults. A value that is not an object is returned as it is, for the
    field's validator to refuse. Raises PydanticCustomError for a name with a lone surrogate."""
    if not isinstance(parameters, dict):
        return parameters
    if any(isinstance(name, str) and printable(name) != name for name in parameters):
        # Pydantic cannot write a lone surrogate into a message or a location.
        raise PydanticCustomError("lone_surrogate", "Half a surrogate pair is not a character")
    return {**defaults, **{name: _with_default(value, defaults.get(name)) for name, value in parameters.items()}}


def _with_default(value: Any, default: Mapping[str, Any] | None) -> Any:
    """Complete a parameter by its default: a bare number takes `learnable` from it."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {**(default or {}), "value": value}
    if isinstance(value, dict) and default is not None:
        return {**default, **value}
    return value


def check_parameter(activation: str, name: str, value: ParameterValue, parameter: Parameter | None) -> None:
    """Raise PydanticCustomError unless `parameter`, which is None if there is none of this name, may have the value."""
    if parameter is None:
        raise PydanticCustomError(
            "unknown_parameter", "{activation} has no parameter {at}", {"activation": activation, "at": name}
        )
    if not parameter.minimum <= value.value <= parameter.maximum:
        raise PydanticCustomError(
            "parameter_out_of_bounds",
            "{at} must lie from {minimum} to {maximum}",
            {"at": name, "minimum": parameter.minimum, "maximum": parameter.maximum},
        )
    if value.learnable and not (parameter.may_learn or parameter.learnable):
        raise PydanticCustomError("not_learnable", "{at} cannot be learned", {"at": name})


def check_parameters_of_formula(parameters: dict[str, ParameterValue]) -> None:
    """Raise PydanticCustomError for too many parameters, a name that a parameter may not have, or too large a value."""
    if len(parameters) > MOST_PARAMETERS:
        raise PydanticCustomError(
            "too_many_parameters", "A formula has at most {most} parameters", {"most": MOST_PARAMETERS}
        )
    for name, parameter in parameters.items():
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


def check_all_used(tree: Expression, parameters: dict[str, ParameterValue]) -> None:
    """Raise PydanticCustomError for parameters that a formula does not use."""
    unused = parameters.keys() - {node.name for node in nodes(tree) if isinstance(node, Reference)}
    if unused:
        reason = f"The formula does not use {', '.join(sorted(unused))}"
        raise PydanticCustomError("unused_parameter", "{reason}", {"reason": reason, "at": "parameters"})


def canonical_text(text: str, parameters: Collection[str]) -> str:
    """Return the canonical text of a formula. Raises PydanticCustomError, with the column, for a wrong one."""
    try:
        return canonical(text, parameters)
    except FormulaError as error:
        context = {"reason": str(error), "column": error.column}
        raise PydanticCustomError("invalid_formula", "{reason}", context) from error
