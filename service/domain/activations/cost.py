"""What evaluating a formula op by op costs a training step: memory exactly, time roughly."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from service.domain.activations.memory import Memory, kept_for_backward
from service.domain.activations.selection import ActivationSpec
from service.domain.formulas.expression import Call, Expression, Variable, nodes
from service.domain.formulas.parser import constant

# The network of the main article at its batch size of 128: both convolutions' outputs and the dense layer's.
ELEMENTS_PER_BATCH = 128 * (26 * 26 * 32 + 24 * 24 * 64 + 128)

# Forward and backward of one operation, in units of torch's ReLU; measured by `python -m benchmarks.formula_cost`.
TIMES: Mapping[str, float] = {
    "+": 0.3, "-": 0.3, "negative": 0.4, "*": 0.7, "/": 3.8, "**": 2.0, **dict.fromkeys(("<", "<=", ">", ">="), 1.6),
    "exp": 3.7, "expm1": 5.1, "log": 1.3, "log1p": 1.7, "sqrt": 1.4, "sin": 1.7, "cos": 3.5, "atan": 2.5, "tanh": 1.4,
    "erf": 5.3, "abs": 1.8, "sigmoid": 0.8, "softplus": 4.2, "softmax": 1.4, "minimum": 4.5, "maximum": 4.7,
    "where": 2.1,
}  # fmt: skip
CHANGING_POWER = 11.0  # with an exponent that is computed


class EstimatedCost(BaseModel):
    """Memory is computed from the operations; time is an estimate from measurements of each on one processor."""

    model_config = ConfigDict(frozen=True)

    nodes: int = Field(description="Numbers, names and operations of the formula.")
    fused: bool = Field(description="Whether training uses a kernel made for this function.")
    time_ratio: float = Field(
        description="Time of the activation forward and back against ReLU's, roughly; 1 where fused. Other parts of a"
        " training step take as long as ever."
    )
    intermediate_tensors: int = Field(description="Kept until the way back; those of one byte an element included.")
    bytes_per_element: int = Field(description="Of those tensors, for each element of the activation's input.")
    bytes_per_batch: int = Field(description="The same over the default network's layers at its batch size.")


def estimated_cost(choice: ActivationSpec) -> EstimatedCost:
    row = choice.definition
    fused = choice.fused
    learned = [name for name, parameter in choice.recognised.parameters.items() if parameter.learnable]
    memory = Memory(values=1, masks=0) if fused else kept_for_backward(row.expression, learned)
    return EstimatedCost(
        nodes=sum(1 for _ in nodes(row.expression)),
        fused=fused,
        time_ratio=1.0 if fused else round(max(1.0, _time(row.expression)), 1),
        intermediate_tensors=memory.values + memory.masks,
        bytes_per_element=memory.bytes_per_element,
        bytes_per_batch=memory.bytes_per_element * ELEMENTS_PER_BATCH,
    )


def _time(expression: Expression) -> float:
    return sum(_one(node) for node in nodes(expression) if isinstance(node, Call) and _has_x(node))


def _one(call: Call) -> float:
    if call.function == "**" and constant(call.arguments[1]) is None:
        return CHANGING_POWER
    return TIMES[call.function]


def _has_x(expression: Expression) -> bool:
    return any(isinstance(node, Variable) for node in nodes(expression))
