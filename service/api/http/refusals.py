"""Refusals of comparisons as errors of a query parameter."""

from service.domain.comparisons.refusals import (
    Confounded,
    MixedMachines,
    OtherImages,
    Refusal,
    TooManyObservations,
    TooManyResults,
    TooManyTraces,
    UnknownGroup,
)
from service.domain.errors import FieldProblem, Invalid

PARAMETERS: dict[type[Refusal], str] = {
    Confounded: "group_by",
    MixedMachines: "allow_mixed",
    TooManyTraces: "study",
    TooManyObservations: "id",
    TooManyResults: "a",
    OtherImages: "b",
}


def as_invalid(refusal: Refusal) -> Invalid:
    """Return the refusal as a 422 that names the parameter."""
    parameter = refusal.side if isinstance(refusal, UnknownGroup) else PARAMETERS[type(refusal)]
    problem = FieldProblem(parameter, refusal.reason, refusal.code, refusal.value)
    return Invalid(f"{refusal.reason}.", errors=[problem])
