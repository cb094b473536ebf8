"""Count the tensors that torch keeps for the backward pass when it evaluates a formula op by op.

The rules are torch's (tools/autograd/derivatives.yaml in its source): the inputs and results that the gradient of each
operation needs. A test compares them with the tensors that torch saves.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from service.domain.formulas.expression import Call, Expression, Reference, Variable, nodes
from service.domain.formulas.parser import whole_power

VALUE_BYTES = 4  # formulas are computed in float32 in every precision
MASK_BYTES = 1

_Needs = Literal["input", "result"]
_UNARY: Mapping[str, _Needs] = {
    **dict.fromkeys(("exp", "expm1", "log", "log1p", "sin", "cos", "atan", "erf", "abs"), "input"),
    **dict.fromkeys(("sqrt", "tanh", "sigmoid", "softmax"), "result"),
}
_COMPARISONS = frozenset(("<", "<=", ">", ">="))
_INPUT = "x"  # one tensor, however often the formula names it

Place = tuple[int, ...]
"""The position of a node: the index of the argument at each level, from the root down."""


@dataclass(frozen=True)
class _Tensor:
    """The result of a node. `key` identifies the tensor in memory; None for a single number."""

    key: object
    has_gradient: bool  # it depends on x or on a learned parameter


@dataclass
class _SavedTensors:
    """The keys of the tensors that torch saves, collected by a walk over the tree: of float32 values, and of masks."""

    learned: Collection[str]
    values: set[object] = field(default_factory=set)
    masks: set[object] = field(default_factory=set)

    def save(self, *tensors: _Tensor) -> None:
        self.values.update(tensor.key for tensor in tensors if tensor.key is not None)

    def visit(self, node: Expression, place: Place, spread: bool) -> _Tensor:
        """Collect what a node and those below it save, and return its result.

        `spread` is True inside a branch of `where`, where torch broadcasts learned parameters to all elements.
        """
        match node:
            case Variable():
                return _Tensor(_INPUT, True)
            case Reference(name):
                return _Tensor(None, name in self.learned)
            case Call("where", (condition, taken, otherwise)):
                return self._where(condition, (taken, otherwise), place)
            case Call(function, arguments) if function in _COMPARISONS:
                return _Tensor(place if any(_is_full(argument) for argument in arguments) else None, False)
            case Call(function, arguments):
                inner = [self.visit(argument, (*place, i), spread) for i, argument in enumerate(arguments)]
                has_gradient = any(tensor.has_gradient for tensor in inner)
                full = any(tensor.key is not None for tensor in inner)
                full = full or function == "softmax" or (spread and has_gradient)
                result = _Tensor(place if full else None, has_gradient)
                if has_gradient:
                    self._save_for(node, inner, result, place)
                return result
        return _Tensor(None, False)

    def _where(self, condition: Expression, branches: tuple[Expression, Expression], place: Place) -> _Tensor:
        full_condition = _is_full(condition)
        inner = [self.visit(branch, (*place, 1 + i), True) for i, branch in enumerate(branches)]
        with_gradient = [index for index, tensor in enumerate(inner) if tensor.has_gradient]
        if with_gradient and full_condition:
            self.masks.add((*place, 0))  # saved by torch.where itself, and for the first branch
            if 1 in with_gradient:
                self.masks.add((*place, 1))  # the inverted mask, for the second branch
        full = full_condition or any(tensor.key is not None or tensor.has_gradient for tensor in inner)
        return _Tensor(place if full else None, bool(with_gradient))

    def _save_for(self, node: Call, inner: list[_Tensor], result: _Tensor, place: Place) -> None:
        match node.function, inner:
            case "softplus", [_]:
                self.values.update({(place, "negative"), (place, "buffer")} if result.key is not None else ())
            case (("*" | "minimum" | "maximum"), [a, b]):
                both = node.function != "*"
                self.save(*([a] if b.has_gradient or both else []), *([b] if a.has_gradient or both else []))
            case "/", [a, b]:
                self.save(b, *([a] if b.has_gradient else []))
            case "**", [a, b]:
                self.save(a, *([] if whole_power(node.arguments[1]) is not None else [b, result]))
            case _ if node.function in _UNARY:
                self.save(inner[0] if _UNARY[node.function] == "input" else result)


def _is_full(expression: Expression) -> bool:
    """Tell whether an expression has a value for each element and not a single one."""
    return any(
        isinstance(node, Variable) or (isinstance(node, Call) and node.function == "softmax")
        for node in nodes(expression)
    )


@dataclass(frozen=True)
class Memory:
    """The number of tensors of the input's size: of float32 values, and of masks of one byte an element."""

    values: int
    masks: int

    @property
    def bytes_per_element(self) -> int:
        return self.values * VALUE_BYTES + self.masks * MASK_BYTES


def kept_for_backward(expression: Expression, learned: Collection[str] = ()) -> Memory:
    """Count the tensors that torch keeps for the backward pass of an expression with these learned parameters."""
    saved = _SavedTensors(learned)
    saved.visit(expression, (), False)
    return Memory(len(saved.values), len(saved.masks))
