"""Estimate the cost of an activation in a training step: memory exactly, time roughly."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from service.domain.activations.memory import Memory, kept_for_backward
from service.domain.activations.selection import ActivationSpec
from service.domain.formulas.expression import CONSTANTS, Call, Expression, Variable, nodes
from service.domain.formulas.library import DEFINITIONS
from service.domain.formulas.parser import constant

# Time of an operation, forward and backward, relative to torch's ReLU; measured by `python -m benchmarks.formula_cost`.
TIMES: Mapping[str, float] = {
    "+": 0.3, "-": 0.3, "negative": 0.4, "*": 0.7, "/": 3.8, "**": 2.0, **dict.fromkeys(("<", "<=", ">", ">="), 1.6),
    "exp": 3.7, "expm1": 5.1, "log": 1.3, "log1p": 1.7, "sqrt": 1.4, "sin": 1.7, "cos": 3.5, "atan": 2.5, "tanh": 1.4,
    "erf": 5.3, "abs": 1.8, "sigmoid": 0.8, "softplus": 4.2, "softmax": 1.4, "minimum": 4.5, "maximum": 4.7,
    "where": 2.1, **dict.fromkeys(CONSTANTS, 0.0), "sign": 1.8, "floor": 0.5, "ceil": 0.5, "round": 0.5, "log2": 1.3,
    "log10": 1.3, "cbrt": 8.0, "tan": 4.0, "asin": 4.0, "acos": 4.0, "sinh": 6.0, "cosh": 6.0, "asinh": 5.0,
    "acosh": 5.0, "atanh": 5.0,
}  # fmt: skip
COMPUTED_POWER = 11.0  # time of ** with an exponent that is not a constant


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
    return sum(_call_time(node) for node in nodes(expression) if isinstance(node, Call) and _has_x(node))


def _call_time(call: Call) -> float:
    if call.function in DEFINITIONS:
        return _time(DEFINITIONS[call.function])
    if call.function == "**" and constant(call.arguments[1]) is None:
        return COMPUTED_POWER
    return TIMES[call.function]


def _has_x(expression: Expression) -> bool:
    return any(isinstance(node, Variable) for node in nodes(expression))
