"""Count the tensors that training keeps for the backward pass of a formula.

An elementwise formula, or part of one, keeps its slopes with respect to x and to each learned parameter, as far as they
differ from element to element. Where softmax mixes elements, the rules are torch's (tools/autograd/derivatives.yaml in
its source): the inputs and results that the gradient of each operation needs. A test compares them with the tensors
that torch saves.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from service.domain.formulas.expression import Call, Expression, Reference, is_elementwise, nodes
from service.domain.formulas.library import DEFINITIONS, written_out
from service.domain.formulas.parser import whole_power
from service.domain.formulas.programs import INPUT, READ, Program, program_of

VALUE_BYTES = 4  # formulas are computed in float32 in every precision
MASK_BYTES = 1

_INPUT = "x"  # one tensor, however often the formula names it

Place = tuple[object, ...]
"""The position of a node: the index of the argument at each level, from the root down."""

Key = object
"""The identity of a tensor with a value for each element; None for a single number."""


_VIEW = object()
"""The key of a single number that is seen once for each element, without memory of its own."""


@dataclass(frozen=True)
class _Tensor:
    """The result of a node that autograd differentiates."""

    key: Key
    has_gradient: bool  # it depends on x or on a learned parameter


@dataclass
class _SavedTensors:
    """The keys of the tensors that training keeps, collected by a walk over the tree: of float32 values, of masks."""

    learned: Collection[str]
    values: set[Key] = field(default_factory=set)
    masks: set[Key] = field(default_factory=set)

    def save(self, *keys: Key) -> None:
        self.values.update(key for key in keys if key not in (None, _VIEW))

    def visit(self, node: Expression, place: Place, spread: bool) -> _Tensor:
        """Collect what a node and those below it keep, and return its result.

        `spread` is True inside a branch of `where` around softmax, where learned parameters are seen by each element.
        """
        if is_elementwise(node):
            return self._joined(node, place, spread)
        match node:
            case Call("<" | "<=" | ">" | ">=", _):
                return _Tensor(place, False)
            case Call("where", (condition, taken, otherwise)):
                return self._where(condition, (taken, otherwise), place)
            case Call(function, _) if function in DEFINITIONS:
                return self.visit(written_out(node), place, spread)
            case Call(function, arguments):
                inner = [self.visit(argument, (*place, i), spread) for i, argument in enumerate(arguments)]
                has_gradient = any(tensor.has_gradient for tensor in inner)
                result = _Tensor(place, has_gradient)
                if has_gradient:
                    self._save_for(node, inner, result, place)
                return result
        raise TypeError(f"Not a node of a formula: {node!r}")

    def _joined(self, node: Expression, place: Place, spread: bool) -> _Tensor:
        """Collect the slopes of an elementwise part."""
        others = [name for name in _names(node) if name not in self.learned]
        fixed = {name: _ANY + number for number, name in enumerate(others)}
        program = program_of(node, fixed, self.learned, (INPUT, *self.learned), spread=spread)
        keys = [_key(program, slope, place) for slope in program.slopes.values() if isinstance(slope, int)]
        self.save(*keys)
        return _Tensor(_key(program, program.value, place), bool(program.slopes))

    def _where(self, condition: Expression, branches: tuple[Expression, Expression], place: Place) -> _Tensor:
        with_mask = self.visit(condition, (*place, "condition"), False).key is not None
        inner = [self.visit(branch, (*place, 1 + i), is_elementwise(branch)) for i, branch in enumerate(branches)]
        with_gradient = [index for index, tensor in enumerate(inner) if tensor.has_gradient]
        if with_gradient and with_mask:
            self.masks.add((*place, 0))  # saved by torch.where itself, and for the first branch
            if 1 in with_gradient and is_elementwise(branches[1]):
                self.masks.add((*place, 1))  # the inverted mask, for the second branch
        return _Tensor(place, bool(with_gradient))

    def _save_for(self, node: Call, inner: list[_Tensor], result: _Tensor, place: Place) -> None:
        match node.function, inner:
            case "softplus", [_]:
                self.values.update({(place, "negative"), (place, "buffer")})
            case (("*" | "minimum" | "maximum"), [a, b]):
                both = node.function != "*"
                self.save(*([a.key] if b.has_gradient or both else []), *([b.key] if a.has_gradient or both else []))
            case "/", [a, b]:
                self.save(b.key, *([a.key] if b.has_gradient else []))
            case "**", [a, b]:
                self.save(a.key, *([] if whole_power(node.arguments[1]) is not None else [b.key, result.key]))
            case _ if node.function in _OF_RESULT:
                self.save(result.key)
            case _ if node.function in _OF_INPUT:
                self.save(inner[0].key)


_OF_INPUT = frozenset(
    ("exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "asin", "acos", "atan", "sinh", "cosh", "asinh",
     "acosh", "atanh", "erf", "abs")
)  # fmt: skip
_OF_RESULT = frozenset(("exp", "expm1", "sqrt", "tan", "tanh", "sigmoid", "softmax"))


_ANY = 0.123
"""The value of a parameter that is not learned: no formula is likely to have such a number too."""


def _names(node: Expression) -> list[str]:
    return list(dict.fromkeys(part.name for part in nodes(node) if isinstance(part, Reference)))


def _key(program: Program, index: int, place: Place) -> Key:
    """Return the key of a step's result."""
    step = program.steps[index]
    if index not in program.varying:
        return None
    if step.function == READ:
        return _INPUT if step.name == INPUT else _VIEW
    return (*place, index, step)


@dataclass(frozen=True)
class Memory:
    """The number of tensors of the input's size: of float32 values, and of masks of one byte an element."""

    values: int
    masks: int

    @property
    def bytes_per_element(self) -> int:
        return self.values * VALUE_BYTES + self.masks * MASK_BYTES


def kept_for_backward(expression: Expression, learned: Collection[str] = ()) -> Memory:
    """Count the tensors that are kept for the backward pass of an expression with these learned parameters."""
    saved = _SavedTensors(learned)
    saved.visit(expression, (), False)
    return Memory(len(saved.values), len(saved.masks))
