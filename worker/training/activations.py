"""Activations as torch modules: the catalogue's definitions evaluated op by op, or by a fused kernel of the same
function where torch has one."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from service.domain.activations.activation import UniformDraw
from service.domain.activations.selection import ActivationSpec
from service.domain.formulas.expression import Call, Expression, X, is_elementwise, softmax
from service.domain.formulas.library import DEFINITIONS, written_out
from service.domain.formulas.programs import INPUT
from worker.training import programs
from worker.training.programs import Values

Kernel: TypeAlias = Callable[[Tensor, Values], Tensor]


def build(choice: ActivationSpec, generator: torch.Generator) -> nn.Module:
    """Return the activation as a module for tensors (N, channels, height, width) or (N, units).

    It keeps shape, dtype and the channels-last format. `generator` must live on the device of the inputs; random slopes
    have no other state.
    """
    recognised = choice.recognised
    return ActivationModule(recognised, kernel_for(recognised), generator)


class ActivationModule(nn.Module):
    """A kernel with its parameters: learned ones are scalars in float32, the others Python floats."""

    def __init__(self, choice: ActivationSpec, kernel: Kernel, generator: torch.Generator) -> None:
        super().__init__()
        parameters = choice.parameters.items()
        self.learned = nn.ParameterDict({n: nn.Parameter(torch.tensor(p.value)) for n, p in parameters if p.learnable})
        self._fixed = {name: p.value for name, p in parameters if not p.learnable}
        self._draw = choice.definition.draw
        self._kernel = kernel
        self._generator = generator

    def forward(self, x: Tensor) -> Tensor:
        # On CUDA, autocast would turn softplus, softmax and others to float32, and the layers above would pay for it.
        with torch.autocast(x.device.type, enabled=False):
            return self._kernel(x, self._values(x))

    def _values(self, x: Tensor) -> Values:
        values: dict[str, float | Tensor] = {**self._fixed, **self.learned}
        if self._draw is not None:
            drawn = _drawn(self._draw, self._fixed, x, self._generator) if self.training else None
            values[self._draw.name] = self._draw.mean(self._fixed) if drawn is None else drawn
        return values


def _drawn(draw: UniformDraw, fixed: Mapping[str, float], x: Tensor, generator: torch.Generator) -> Tensor:
    """Return slopes for the elements of x, each from 16 bits of a random int64, in a quarter of the time of floats."""
    # float32 whatever x is: one seed gives the same slopes in every precision, and bfloat16 would draw 256 of them.
    low, high = sorted((fixed[draw.lower], fixed[draw.upper]))
    words = torch.empty(-(-x.numel() // 4), dtype=torch.int64, device=x.device)
    words.random_(torch.iinfo(torch.int64).min, None, generator=generator)
    pieces = words.view(torch.int16)[: x.numel()]
    slopes = torch.empty_like(x, dtype=torch.float32, requires_grad=False)
    flat = programs.flattened(slopes)
    if flat is None:
        slopes.copy_(pieces.view(x.shape))
    else:
        flat.copy_(pieces)
    width = (high - low) / 2**16
    return slopes.mul_(width).add_(low + width * (2**15 + 0.5))


def kernel_for(choice: ActivationSpec) -> Kernel:
    """Return the fastest form of the choice: torch's own kernel, or the definition op by op."""
    row = choice.definition
    kernel = _leaky if row.name in _SLOPED else _FUSED[row.name] if choice.fused else None
    if kernel is None:
        return partial(definition, row.expression)
    return partial(_by_table, row.expression, kernel) if row.name in _SLOW else kernel


def _by_table(expression: Expression, kernel: Kernel, x: Tensor, values: Values) -> Tensor:
    """Look the function up where that is possible, else use the kernel, which takes two to four times as long."""
    return definition(expression, x, values) if programs.has_table(x) else kernel(x, values)


def definition(expression: Expression, x: Tensor, values: Values) -> Tensor:
    """Return f(x) op by op, computed in float32 at least, in the shape and dtype of x.

    The slopes of an elementwise f are computed on the way forth, by the rules of
    `service.domain.formulas.evaluation.trained`; autograd combines such parts of a formula with softmax. A branch of
    `where` that an element does not take sends it no gradient, not even the NaN of 0 * inf.
    """
    wide = x if is_elementwise(expression) else x.to(programs.wide(x.dtype))
    return torch.broadcast_to(_evaluate(expression, wide, values), x.shape).to(x.dtype)


def _evaluate(expression: Expression, x: Tensor, values: Values) -> Tensor:
    if is_elementwise(expression):
        return _elementwise(expression, x, values)
    match expression:
        case Call("where", (condition, taken, otherwise)):
            chosen = _evaluate(condition, x, values) != 0
            return torch.where(chosen, _branch(taken, x, values, chosen), _branch(otherwise, x, values, ~chosen))
        case Call("softmax", (argument,)):
            return programs.applied(expression, [_evaluate(argument, x, values).expand_as(x)])
        case Call(function, _) if function in DEFINITIONS:
            return _evaluate(written_out(expression), x, values)
        case Call(_, arguments):
            return programs.applied(expression, [_evaluate(argument, x, values) for argument in arguments])
    raise TypeError(f"Not a node of a formula: {expression!r}")


def _elementwise(expression: Expression, x: Tensor, values: Values) -> Tensor:
    if not torch.is_grad_enabled():
        return programs.evaluated(expression, x, values).value
    tensors = [value for value in values.values() if isinstance(value, Tensor)]
    applied: Tensor = _Elementwise.apply(expression, values, x, *tensors)  # type: ignore[no-untyped-call]  # torch leaves `apply` untyped
    return applied


class _Elementwise(torch.autograd.Function):
    """An elementwise formula of x and of the tensors among its parameters, which keeps its slopes."""

    @staticmethod
    def forward(ctx: Any, expression: Expression, values: Values, x: Tensor, *parameters: Tensor) -> Tensor:
        inputs = {INPUT: x, **{name: value for name, value in values.items() if isinstance(value, Tensor)}}
        ctx.inputs = {name: (tensor.shape, tensor.dtype) for name, tensor in inputs.items()}
        names = [name for name, needed in zip(inputs, ctx.needs_input_grad[2:], strict=True) if needed]
        ctx.table = programs.tabulated(expression, x, values, names)
        if ctx.table is not None:
            ctx.save_for_backward(x)
            return programs.looked_up(ctx.table.value, x)
        value, slopes = programs.evaluated(expression, x, values, names)
        ctx.numbers = {name: slope for name, slope in slopes.items() if not isinstance(slope, Tensor)}
        kept = {name: slope for name, slope in slopes.items() if isinstance(slope, Tensor)}
        ctx.names = list(kept)
        ctx.save_for_backward(*kept.values())
        y = value.view_as(value) if any(value is tensor for tensor in inputs.values()) else value
        if not slopes:
            ctx.mark_non_differentiable(y)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        if ctx.table is not None:
            by_input = programs.chained(gradients[0], ctx.table.slopes, ctx.inputs, of=ctx.saved_tensors[0])
        else:
            slopes = {**ctx.numbers, **dict(zip(ctx.names, ctx.saved_tensors, strict=True))}
            by_input = programs.chained(gradients[0], slopes, ctx.inputs)
        return None, None, *(by_input.get(name) for name in ctx.inputs)


def _branch(expression: Expression, x: Tensor, values: Values, taken: Tensor) -> Tensor:
    if not is_elementwise(expression):
        return _evaluate(expression, x, values)  # here the elements that do not take the branch have an effect on it
    inside = {name: _guarded(value, x, taken) for name, value in values.items()}
    return _evaluate(expression, _masked(x, taken), inside)


def _guarded(value: float | Tensor, x: Tensor, taken: Tensor) -> float | Tensor:
    # A learned scalar sums its gradient over all elements, so it must be spread out before the mask can reach them.
    if isinstance(value, Tensor) and value.requires_grad:
        return _masked(value.to(x.dtype).expand_as(x), taken)
    return value


def _masked(x: Tensor, taken: Tensor) -> Tensor:
    masked: Tensor = _Taken.apply(x, taken)  # type: ignore[no-untyped-call]  # as above
    return masked


class _Taken(torch.autograd.Function):
    """The identity, whose gradient is 0 for the elements that do not take the branch."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, taken: Tensor) -> Tensor:
        ctx.save_for_backward(taken)
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (taken,) = ctx.saved_tensors
        return torch.where(taken, gradients[0], 0), None


def _softmax(x: Tensor) -> Tensor:
    return programs.applied(softmax(X), [x])


class _Step(torch.autograd.Function):
    """1[x > 0] with the gradient of slope * x: 0 by default, 1 for the straight-through estimator of Bengio, Leonard &
    Courville 2013 (arXiv:1308.3432)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, slope: float) -> Tensor:
        ctx.slope = slope
        return torch.gt(x, 0, out=torch.empty_like(x))  # 0.8 ms against 3.7 for (x > 0).to(x.dtype), 2.8 M elements

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (gradient,) = gradients
        return (gradient * ctx.slope if ctx.slope else torch.zeros_like(gradient)), None


def _step(x: Tensor, values: Values) -> Tensor:
    stepped: Tensor = _Step.apply(x, values["straight_through"])  # type: ignore[no-untyped-call]  # as above
    return stepped


def _leaky(x: Tensor, values: Values) -> Tensor:
    slope = values["slope"]
    if isinstance(slope, float):
        return F.leaky_relu(x, slope)
    if slope.dim() == 0:
        return F.prelu(x, slope.to(x.dtype))
    wide = x.to(programs.wide(x.dtype))
    with torch.no_grad():  # lerp with a weight of 0 or 1 is exact, and takes a quarter of the time of torch.where
        positive = torch.gt(wide, 0, out=torch.empty_like(wide))
        factor = torch.lerp(slope.to(wide.dtype), torch.ones((), dtype=wide.dtype, device=x.device), positive)
    return (wide * factor).to(x.dtype)


_SLOPED = frozenset({"leaky_relu", "prelu", "rrelu"})

_SLOW = frozenset({"mish", "prelu", "tanh_shrink"})
"""The functions whose kernel takes longer than a table. Forth and back, 1.2 million bfloat16s, one thread: 7.7, 6.7 and
4.4 ms, by a table 1.6, 2.9 and 1.6. The next ones are gelu_tanh, 3.0, and log_sigmoid, 2.1; two threads halve those of
kernels, and not of tables."""

_FUSED: Mapping[str, Kernel] = {
    "step": _step,
    "linear": lambda x, values: x,
    "sigmoid": lambda x, values: torch.sigmoid(x),
    "tanh": lambda x, values: torch.tanh(x),
    "softmax": lambda x, values: _softmax(x),
    "relu": lambda x, values: F.relu(x),
    "swish": lambda x, values: F.silu(x),
    "swish2": lambda x, values: 2 * F.silu(x),
    "softplus": lambda x, values: F.softplus(x),
    "gelu": lambda x, values: F.gelu(x),
    "elu": lambda x, values: F.elu(x, float(values["alpha"])),
    "selu": lambda x, values: F.selu(x),
    "silu": lambda x, values: F.silu(x),
    "mish": lambda x, values: F.mish(x),
    "hard_sigmoid": lambda x, values: F.hardsigmoid(x),
    "hard_tanh": lambda x, values: F.hardtanh(x),
    "relu6": lambda x, values: F.relu6(x),
    "celu": lambda x, values: F.celu(x, float(values["alpha"])),
    "gelu_tanh": lambda x, values: F.gelu(x, approximate="tanh"),
    "hard_swish": lambda x, values: F.hardswish(x),
    "softsign": lambda x, values: F.softsign(x),
    "relu_squared": lambda x, values: F.relu(x).square(),
    "log_sigmoid": lambda x, values: -F.softplus(-x),  # F.logsigmoid would lose the channels-last format
    "tanh_shrink": lambda x, values: F.tanhshrink(x.float()).to(
        x.dtype
    ),  # a difference, of which bfloat16 leaves few digits
    "soft_shrink": lambda x, values: F.softshrink(x, float(values["threshold"])),
    "hard_shrink": lambda x, values: F.hardshrink(x, float(values["threshold"])),
    "sine": lambda x, values: torch.sin(x),
}
