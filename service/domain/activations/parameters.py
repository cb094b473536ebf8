"""Parameters as a spec or a definition gives them, and formulas beside them: completed, and checked."""

from collections.abc import Collection, Mapping
from typing import Any

from pydantic_core import PydanticCustomError

from service.domain.activations.activation import Parameter
from service.domain.formulas.expression import Expression, Reference, nodes
from service.domain.formulas.parser import canonical, check_name
from service.domain.formulas.tokens import FormulaError
from service.domain.part import Part
from service.domain.text import printable

MOST_PARAMETERS = 8  # of a formula
LARGEST_PARAMETER = 1e6  # of a formula, where learning starts


class ParameterValue(Part):
    """A parameter of an activation: its value, or where learning starts."""

    value: float
    learnable: bool = False


def completed_over(defaults: Mapping[str, Mapping[str, Any]], given: Any) -> Any:
    """The parameters given, as JSON, over those that have a default; what is no object comes back as it is."""
    if not isinstance(given, dict):
        return given
    if any(isinstance(name, str) and printable(name) != name for name in given):
        # Pydantic fails to write half a surrogate pair into a message or a location.
        raise PydanticCustomError("lone_surrogate", "Half a surrogate pair is not a character")
    return {**defaults, **{name: _completed(value, defaults.get(name)) for name, value in given.items()}}


def _completed(value: Any, default: Mapping[str, Any] | None) -> Any:
    """With what it leaves out taken from its default: a bare number keeps the choice of learning or not."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {**(default or {}), "value": value}
    if isinstance(value, dict) and default is not None:
        return {**default, **value}
    return value


def check_parameter(activation: str, name: str, given: ParameterValue, known: Parameter | None) -> None:
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


def check_parameters_of_formula(given: dict[str, ParameterValue]) -> None:
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


def check_all_used(tree: Expression, parameters: dict[str, ParameterValue]) -> None:
    unused = parameters.keys() - {node.name for node in nodes(tree) if isinstance(node, Reference)}
    if unused:
        reason = f"The formula does not use {', '.join(sorted(unused))}"
        raise PydanticCustomError("unused_parameter", "{reason}", {"reason": reason, "at": "parameters"})


def canonical_text(text: str, parameters: Collection[str]) -> str:
    """The one text of a formula's tree."""
    try:
        return canonical(text, parameters)
    except FormulaError as error:
        context = {"reason": str(error), "column": error.column}
        raise PydanticCustomError("invalid_formula", "{reason}", context) from error
