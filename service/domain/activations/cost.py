"""Estimate the cost of an activation in a training step: memory exactly, time roughly."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from service.domain.activations.memory import Memory, kept_for_backward
from service.domain.activations.selection import ActivationSpec
from service.domain.formulas.expression import Call, Expression, Reference, is_elementwise, nodes
from service.domain.formulas.library import DEFINITIONS, written_out
from service.domain.formulas.programs import COMPARISONS, INPUT, IS_NOT_ZERO, POWER, READ, TEST, program_of

# Times relative to torch's ReLU in float32, forward and backward, measured by `python -m benchmarks.formula_cost`.
OVERHEAD = 1.3
"""The time of a formula without operations: the slope is kept, and multiplied on the way back."""

TIMES: Mapping[str, float] = {
    READ: 0.0, "+": 0.2, "-": 0.2, "*": 0.2, "/": 0.3, "**": 4.2, POWER: 0.3, "negative": 0.2,
    **dict.fromkeys(COMPARISONS, 0.3), **dict.fromkeys((TEST + name for name in COMPARISONS), 0.7), IS_NOT_ZERO: 0.7,
    "where": 0.8, "minimum": 0.3, "maximum": 0.3, **dict.fromkeys(("abs", "sign", "floor", "ceil", "round"), 0.2),
    "exp": 1.6, "expm1": 1.9, "log": 2.0, "log1p": 1.3, "log2": 2.0, "log10": 2.2, "sqrt": 1.0, "cbrt": 5.1,
    "sin": 2.3, "cos": 2.6, "tan": 3.0, "asin": 3.2, "acos": 3.2, "atan": 5.0, "sinh": 2.1, "cosh": 2.0, "tanh": 2.8,
    "asinh": 36.0, "acosh": 24.0, "atanh": 1.8, "erf": 2.5, "sigmoid": 0.6, "softplus": 2.9, "softmax": 4.4,
}  # fmt: skip
"""The time of a step of a formula's program, by its function, and of softmax."""


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
    """Return the time of the steps that compute value and slope by x; of softmax, and the parts around it, by name."""
    if is_elementwise(expression):
        fixed = {node.name: 0.5 for node in nodes(expression) if isinstance(node, Reference)}
        program = program_of(expression, fixed, slopes_by=[INPUT], guarded=False)
        return sum(TIMES[program.steps[index].function] for index in program.varying)
    if isinstance(expression, Call) and expression.function in DEFINITIONS:
        return _added(written_out(expression))
    arguments = expression.arguments if isinstance(expression, Call) else ()
    function = expression.function if isinstance(expression, Call) else READ
    return TIMES[function] + sum(map(_added, arguments))
