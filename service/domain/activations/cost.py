"""Estimate the cost of an activation in a training step: memory exactly, time roughly."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from service.domain.activations.memory import Memory, kept_for_backward
from service.domain.activations.selection import ActivationSpec
from service.domain.formulas.expression import CONSTANTS, Call, Expression, Variable, nodes
from service.domain.formulas.library import DEFINITIONS
from service.domain.formulas.parser import whole_power

# Times relative to torch's ReLU, forward and backward, measured by `python -m benchmarks.formula_cost`.
OVERHEAD = 1.2
"""The time of a formula without operations: the slope is kept, and multiplied on the way back."""

TIMES: Mapping[str, float] = {
    "+": 0.7, "-": 0.4, "negative": 0.5, "*": 1.3, "/": 3.1, "**": 17.8, **dict.fromkeys(("<", "<=", ">", ">="), 3.5),
    "exp": 3.8, "expm1": 6.5, "log": 4.7, "log1p": 4.9, "sqrt": 5.2, "sin": 3.8, "cos": 4.5, "atan": 4.6, "tanh": 5.1,
    "erf": 4.7, "abs": 6.6, "sigmoid": 4.1, "softplus": 5.6, "softmax": 1.9, "minimum": 11.8, "maximum": 11.5,
    "where": 3.2, **dict.fromkeys(CONSTANTS, 0.0), **dict.fromkeys(("sign", "floor", "ceil", "round"), 0.0),
    "log2": 5.1, "log10": 5.6, "cbrt": 15.3, "tan": 7.1, "asin": 10.4, "acos": 13.7, "sinh": 7.6, "cosh": 7.7,
    "asinh": 22.8, "acosh": 33.2, "atanh": 7.7,
}  # fmt: skip
"""The time that an operation adds if one of its arguments depends on x."""

TIMES_OF_ALL: Mapping[str, float] = {
    "+": 1.3, "-": 1.3, "*": 7.1, "/": 10.1, "**": 32.3, "minimum": 18.3, "maximum": 17.0,
}  # fmt: skip
"""The time that an operation adds if all of its arguments depend on x, so that each of them has a slope."""

WHOLE_POWER = 2.0  # of ** with a whole number


class EstimatedCost(BaseModel):
    """The memory that a formula's operations need, and an estimate of their time from measurements of each operation on
    one processor."""

    model_config = ConfigDict(frozen=True)

    nodes: int = Field(description="Numbers, names and operations of the formula.")
    fused: bool = Field(description="Whether training uses a kernel made for this function.")
    time_ratio: float = Field(
        description="Estimated time of the activation, forward and backward, divided by ReLU's; 1 where fused. Other"
        " parts of a training step are not included."
    )
    intermediate_tensors: int = Field(
        description="Tensors that are kept for the backward pass, those of one byte an element included."
    )
    bytes_per_element: int = Field(description="Bytes of those tensors for each element of the activation's input.")
    bytes_per_batch: int = Field(description="Bytes of those tensors in all layers of the default network for a batch.")


def estimated_cost(activation: ActivationSpec, elements_per_batch: int) -> EstimatedCost:
    """Return the cost of an activation that so many elements of a batch enter, against that of torch's fused ReLU."""
    row = activation.definition
    fused = activation.fused
    learned = [name for name, parameter in activation.recognised.parameters.items() if parameter.learnable]
    memory = Memory(values=1, masks=0) if fused else kept_for_backward(row.expression, learned)
    return EstimatedCost(
        nodes=sum(1 for _ in nodes(row.expression)),
        fused=fused,
        time_ratio=1.0 if fused else round(max(1.0, _time(row.expression)), 1),
        intermediate_tensors=memory.values + memory.masks,
        bytes_per_element=memory.bytes_per_element,
        bytes_per_batch=memory.bytes_per_element * elements_per_batch,
    )


def _time(expression: Expression) -> float:
    return OVERHEAD + _added(expression)


def _added(expression: Expression) -> float:
    return sum(_call_time(node) for node in nodes(expression) if isinstance(node, Call) and _has_x(node))


def _call_time(call: Call) -> float:
    if call.function in DEFINITIONS:
        return _added(DEFINITIONS[call.function])
    if call.function == "**" and whole_power(call.arguments[1]) is not None:
        return WHOLE_POWER
    of_all = TIMES_OF_ALL if all(map(_has_x, call.arguments)) else {}
    return of_all.get(call.function, TIMES[call.function])


def _has_x(expression: Expression) -> bool:
    return any(isinstance(node, Variable) for node in nodes(expression))
