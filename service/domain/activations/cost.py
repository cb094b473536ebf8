"""What evaluating a formula op by op costs a training step, roughly."""

from pydantic import BaseModel, ConfigDict, Field

from service.domain.activations.expression import Call, Expression, Variable, nodes

# The network of the main article at its batch size of 128: both convolutions' outputs and the dense layer's.
ELEMENTS_PER_BATCH = 128 * (26 * 26 * 32 + 24 * 24 * 64 + 128)
BYTES = 4  # float32, in which formulas are computed


class EstimatedCost(BaseModel):
    """An estimate from the formula's size, not a measurement: one tensor for each operation on x, kept for the way
    back, and a kernel of torch's own where the formula is a row of the catalogue."""

    model_config = ConfigDict(frozen=True)

    nodes: int = Field(description="Numbers, names and operations of the formula.")
    fused: bool = Field(description="Whether training uses a kernel made for this function.")
    intermediate_tensors: int = Field(description="One for each operation on x; 1 where fused.")
    bytes_per_batch: int = Field(description="Of those tensors, over the default network's layers at its batch size.")


def estimated_cost(expression: Expression, *, fused: bool) -> EstimatedCost:
    found = list(nodes(expression))
    tensors = 1 if fused else sum(isinstance(node, Call) and _has_x(node) for node in found)
    size = tensors * ELEMENTS_PER_BATCH * BYTES
    return EstimatedCost(nodes=len(found), fused=fused, intermediate_tensors=tensors, bytes_per_batch=size)


def _has_x(expression: Expression) -> bool:
    return any(isinstance(node, Variable) for node in nodes(expression))
