"""What evaluating a formula op by op keeps in memory until the way back, for each element of the activation's input.

The rules are torch's (tools/autograd/derivatives.yaml of its source): which of an operation's inputs and results its
gradient needs. A test holds them to the tensors that torch really saves.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from service.domain.formulas.expression import Call, Expression, Reference, Variable, nodes
from service.domain.formulas.parser import whole_power

VALUE_BYTES = 4  # float32, in which formulas are computed whatever the precision
MASK_BYTES = 1

_Needs = Literal["input", "result"]
_UNARY: Mapping[str, _Needs] = {
    **dict.fromkeys(("exp", "expm1", "log", "log1p", "sin", "cos", "atan", "erf", "abs"), "input"),
    **dict.fromkeys(("sqrt", "tanh", "sigmoid", "softmax"), "result"),
}
_COMPARISONS = frozenset(("<", "<=", ">", ">="))
_INPUT = "x"  # one tensor, however often the formula names it

Place = tuple[int, ...]
"""Where a node stands: which argument to take at each level, from the root down."""


@dataclass(frozen=True)
class _Tensor:
    """What a node evaluates to. `key` tells tensors in memory apart; None for a single number."""

    key: object
    moves: bool  # with x or with something learned, so that it has a gradient


@dataclass
class _Kept:
    learned: Collection[str]
    values: set[object] = field(default_factory=set)
    masks: set[object] = field(default_factory=set)

    def keep(self, *tensors: _Tensor) -> None:
        self.values.update(tensor.key for tensor in tensors if tensor.key is not None)

    def visit(self, node: Expression, place: Place, spread: bool) -> _Tensor:
        """`spread`: inside a branch of `where`, in which learned parameters are spread out over the elements."""
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
                inner = [self.visit(each, (*place, i), spread) for i, each in enumerate(arguments)]
                full = any(tensor.key is not None for tensor in inner)
                full = full or function == "softmax" or (spread and any(tensor.moves for tensor in inner))
                moves = any(tensor.moves for tensor in inner)
                result = _Tensor(place if full else None, moves)
                if moves:
                    self._save(node, inner, result, place)
                return result
        return _Tensor(None, False)

    def _where(self, condition: Expression, branches: tuple[Expression, Expression], place: Place) -> _Tensor:
        chosen = _is_full(condition)
        inner = [self.visit(each, (*place, 1 + i), True) for i, each in enumerate(branches)]
        moving = [index for index, tensor in enumerate(inner) if tensor.moves]
        if moving and chosen:
            self.masks.add((*place, 0))  # by torch.where itself, and for the branch taken
            if 1 in moving:
                self.masks.add((*place, 1))  # its opposite, for the other branch
        full = chosen or any(tensor.key is not None or tensor.moves for tensor in inner)
        return _Tensor(place if full else None, bool(moving))

    def _save(self, node: Call, inner: list[_Tensor], result: _Tensor, place: Place) -> None:
        match node.function, inner:
            case "softplus", [_]:
                self.values.update({(place, "negative"), (place, "buffer")} if result.key is not None else ())
            case (("*" | "minimum" | "maximum"), [a, b]):
                both = node.function != "*"
                self.keep(*([a] if b.moves or both else []), *([b] if a.moves or both else []))
            case "/", [a, b]:
                self.keep(b, *([a] if b.moves else []))
            case "**", [a, b]:
                self.keep(a, *([] if whole_power(node.arguments[1]) is not None else [b, result]))
            case _ if node.function in _UNARY:
                self.keep(inner[0] if _UNARY[node.function] == "input" else result)


def _is_full(expression: Expression) -> bool:
    """Whether it has a value for each element; nothing of it is kept, where no gradient goes through."""
    return any(
        isinstance(node, Variable) or (isinstance(node, Call) and node.function == "softmax")
        for node in nodes(expression)
    )


@dataclass(frozen=True)
class Memory:
    """Tensors of the input's size: of float32 values, and of one byte an element."""

    values: int
    masks: int

    @property
    def bytes_per_element(self) -> int:
        return self.values * VALUE_BYTES + self.masks * MASK_BYTES


def kept_for_backward(expression: Expression, learned: Collection[str] = ()) -> Memory:
    """Of the tree as it is evaluated, with these parameters trained."""
    kept = _Kept(learned)
    kept.visit(expression, (), False)
    return Memory(len(kept.values), len(kept.masks))
