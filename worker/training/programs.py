"""Run programs of formulas with torch.

On a CPU a program runs block by block: all its operations on some thousands of elements, which stay in the cache, then
on the next ones.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import NamedTuple, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from service.domain.formulas.expression import Call, Expression
from service.domain.formulas.parser import whole_power
from service.domain.formulas.programs import (
    INPUT,
    IS_NOT_ZERO,
    NUMBER,
    POWER,
    PRODUCT_OR_ZERO,
    READ,
    TEST,
    Program,
    Step,
    program_of,
)

Values: TypeAlias = Mapping[str, float | Tensor]
Slope: TypeAlias = Tensor | float

BLOCK = 2**17
"""Elements of a block, whose operands and results stay in the cache. `x * sigmoid(1.5 * x)` on 1.2 million elements
took 3.3 ms forth and back in blocks of 2**14, 2.2 of 2**16, 1.9 of 2**17 and 2**18, and 2.0 of 2**19 (EPYC, one
thread)."""

BFLOAT16S = 2**16
TABLED = 4 * BFLOAT16S
"""The least number of elements for which a formula of bfloat16s is computed once for each bfloat16 that there is."""


class Evaluation(NamedTuple):
    """f(x) in the dtype of x and its slopes by the name of the input, in the dtype of the computation.

    Each is a tensor in the shape and format of x or, where it is the same for all elements, a scalar or a number.
    """

    value: Tensor
    slopes: Mapping[str, Slope]


def evaluated(expression: Expression, x: Tensor, values: Values, slopes_by: Collection[str] = ()) -> Evaluation:
    """Return f(x) for an elementwise f with its slopes by the inputs of these names, computed in float32 at least.

    A slope in which 0 is multiplied by infinity or NaN is 0. On a CPU that rule is left out as long as all slopes are
    finite, and no product of a slope can have broken it.
    """
    tensors = {name: value for name, value in values.items() if isinstance(value, Tensor)}
    fixed = tuple((name, value) for name, value in values.items() if not isinstance(value, Tensor))
    spread = any(tensor.dim() > 0 for tensor in tensors.values())
    plan = partial(_plan, expression, fixed, tuple(tensors), tuple(slopes_by), spread=spread)
    small = x.numel() <= BLOCK or x.dtype == torch.float64
    flat = None if spread or small or x.device.type != "cpu" else flattened(x)
    if flat is None:
        return _whole(plan(guarded=True, narrow=False), x, tensors)
    narrow = x.dtype != wide(x.dtype)
    quick, guarded = (plan(guarded=guarded, narrow=narrow) for guarded in (False, True))
    if quick == guarded:
        return _by_blocks(guarded, x, flat, tensors)
    try:
        return _by_blocks(quick, x, flat, tensors, until_overflow=True)
    except _NotFinite:
        return _by_blocks(guarded, x, flat, tensors)


class _NotFinite(Exception):
    """Raised where a slope is infinite or NaN."""


def tabulated(expression: Expression, x: Tensor, values: Values, slopes_by: Collection[str]) -> Evaluation | None:
    """Return the values and slopes of an elementwise f at every bfloat16, to be looked up by the bits of x: they are
    those that `evaluated` computes.

    None where x is no bfloat16, where a table does not pay, and for a constant.
    """
    if not has_table(x):
        return None
    if any(isinstance(value, Tensor) for value in values.values()):
        table = evaluated(expression, _every_bfloat16(), values, slopes_by)
    else:
        table = _constant_table(expression, tuple(values.items()), tuple(slopes_by))
    return table if table.value.shape == (BFLOAT16S,) else None


def has_table(x: Tensor) -> bool:
    """Tell whether a function of so many elements is looked up: a table of bfloat16s pays from TABLED elements on."""
    is_large = x.dtype == torch.bfloat16 and x.device.type == "cpu" and x.numel() >= TABLED
    return is_large and flattened(x) is not None


@lru_cache(maxsize=16)
def _constant_table(
    expression: Expression, fixed: tuple[tuple[str, float], ...], slopes_by: tuple[str, ...]
) -> Evaluation:
    return evaluated(expression, _every_bfloat16(), dict(fixed), slopes_by)


def _every_bfloat16() -> Tensor:
    return torch.arange(BFLOAT16S, dtype=torch.int32).to(torch.int16).view(torch.bfloat16)


def looked_up(table: Tensor, x: Tensor) -> Tensor:
    """Return the elements of a table, (2**16,), at the bits of x, in the shape and format of x."""
    result = torch.empty_like(x, dtype=table.dtype)
    source, target = _flat(x), _flat(result)
    bits = torch.empty(BLOCK, dtype=torch.int64)
    for block in _blocks(source):
        _look_up(table, source[block], bits, target[block])
    return result


def _look_up(table: Tensor, part: Tensor, bits: Tensor, out: Tensor) -> Tensor:
    at = bits[: len(part)].copy_(part.view(torch.uint16))  # index_select takes int64 in two thirds of the time of int32
    return torch.index_select(table, 0, at, out=out)


def chained(
    gradient: Tensor,
    slopes: Mapping[str, Slope],
    inputs: Mapping[str, tuple[torch.Size, torch.dtype]],
    of: Tensor | None = None,
) -> dict[str, Tensor]:
    """Return the gradient by each input that has a slope, in the shape and dtype of `inputs`, from the gradient by the
    value. Slopes are of each element, or with `of` tables for its elements."""
    if of is not None and gradient.stride() != of.stride():
        gradient = torch.empty_like(of, dtype=gradient.dtype).copy_(gradient)
    return {name: _chained(gradient, slope, *inputs[name], of) for name, slope in slopes.items()}


def _chained(gradient: Tensor, slope: Slope, shape: torch.Size, dtype: torch.dtype, of: Tensor | None) -> Tensor:
    flat = flattened(gradient) if gradient.device.type == "cpu" else None
    in_table = of is not None and isinstance(slope, Tensor) and slope.dim() == 1
    if flat is None or not isinstance(slope, Tensor) or not (in_table or slope.stride() == gradient.stride()):
        return (gradient * slope).sum_to_size(shape).to(dtype)
    slopes = _SlopesOfBlocks(slope, _flat(of) if in_table and of is not None else None)
    if shape != gradient.shape:
        return torch.full(shape, _sum_of_products(flat, slopes), dtype=dtype)
    if gradient.dtype == slope.dtype == dtype:
        return gradient * slope
    product = torch.empty_like(gradient, dtype=dtype)
    _write_products(flat, slopes, _flat(product))
    return product


@dataclass(frozen=True)
class _SlopesOfBlocks:
    """The slopes of elements, or a table of them with the elements, bfloat16, that they are looked up for."""

    slopes: Tensor
    of: Tensor | None

    def reader(self) -> Callable[[slice], Tensor]:
        """Return a function of a block that returns its slopes, in a buffer that the next call overwrites."""
        table, of = self.slopes, self.of
        if of is None:
            flat = _flat(table)
            return lambda block: flat[block]
        bits, buffer = torch.empty(BLOCK, dtype=torch.int64), torch.empty(BLOCK, dtype=table.dtype)
        return lambda block: _look_up(table, part := of[block], bits, buffer[: len(part)])


def _write_products(gradient: Tensor, slopes: _SlopesOfBlocks, out: Tensor) -> None:
    read = slopes.reader()
    for block in _blocks(gradient):
        out[block].copy_(gradient[block] * read(block))


def _sum_of_products(gradient: Tensor, slopes: _SlopesOfBlocks) -> float:
    read = slopes.reader()
    return sum(float((gradient[block] * read(block)).sum()) for block in _blocks(gradient))


def _blocks(flat: Tensor) -> list[slice]:
    return [slice(start, min(start + BLOCK, len(flat))) for start in range(0, len(flat), BLOCK)]


def flattened(x: Tensor) -> Tensor | None:
    """Return a view of all elements in the order of memory; None where they do not lie side by side."""
    if x.is_contiguous():
        return x.view(-1)
    if x.dim() == 4 and x.is_contiguous(memory_format=torch.channels_last):
        return x.permute(0, 2, 3, 1).view(-1)
    return None


def wide(dtype: torch.dtype) -> torch.dtype:
    """Return the dtype in which a formula of elements of a dtype is computed."""
    return torch.float64 if dtype == torch.float64 else torch.float32


def applied(call: Call, arguments: Sequence[Tensor]) -> Tensor:
    """Apply the function of a call to the values of its arguments, differentiably."""
    if call.function == "**" and (power := whole_power(call.arguments[1])) is not None:
        return torch.pow(arguments[0], power)  # a product for 2 and 3
    if call.function == "softmax":
        # torch.softmax(x, dim=1) would turn channels-last maps into channels-first ones.
        return torch.softmax(arguments[0].movedim(1, -1), dim=-1).movedim(-1, 1)
    if call.function == "softplus":
        return -F.logsigmoid(-arguments[0])  # which keeps less for the way back
    return _FUNCTIONS[call.function](*arguments)


@dataclass(frozen=True)
class _Plan:
    """A program with a register for each result that is not kept; `kept` are the indexes of the others."""

    program: Program
    kept: tuple[int, ...]

    @cached_property
    def scalars(self) -> list[int]:
        """The steps whose results are the same for all elements."""
        return [index for index in range(len(self.program.steps)) if index not in self.program.varying]

    @cached_property
    def reads(self) -> list[int]:
        """The steps that read an input with a value for each element."""
        return [index for index in sorted(self.program.varying) if self.program.steps[index].function == READ]

    @cached_property
    def operations(self) -> list[tuple[Callable[..., Tensor], tuple[int, ...], int]]:
        """The other steps: what computes them, the indexes of the operands, and that of the result."""
        steps = self.program.steps
        indexes = sorted(self.program.varying.difference(self.reads))
        return [(step_function(steps[index]), steps[index].operands, index) for index in indexes]

    @cached_property
    def block_operations(self) -> list[tuple[Callable[..., Tensor], tuple[int, ...], int]]:
        """The operations in the form that writes into a block."""
        steps = self.program.steps
        return [(block_function(steps[index]), operands, index) for _, operands, index in self.operations]

    @cached_property
    def registers(self) -> dict[int, int]:
        """The number of the register of each result that is not kept. A register is used again after its last read."""
        last_read = {operand: index for _, operands, index in self.operations for operand in operands}
        last_read[self.program.value] = len(self.program.steps)
        registers: dict[int, int] = {}
        free: list[int] = []
        for _, operands, index in self.operations:
            done = [operand for operand in dict.fromkeys(operands) if last_read[operand] == index]
            released = [registers[operand] for operand in done if operand in registers and not self._is_truth(operand)]
            if self.program.steps[index].function != "where":  # which reads its operands again after it has written
                free += released
            if index not in self.kept:
                unused = 1 + max(registers.values(), default=-1)
                registers[index] = free.pop() if free and not self._is_truth(index) else unused
            if self.program.steps[index].function == "where":
                free += released
        return registers

    def _is_truth(self, index: int) -> bool:
        return self.program.steps[index].function.startswith((TEST, IS_NOT_ZERO))

    def slots(self, inputs: Mapping[str, Tensor], dtype: torch.dtype, device: torch.device) -> list[Tensor]:
        """Return a place for the result of each step, with the scalars in theirs."""
        slots = [_NOTHING] * len(self.program.steps)
        for index in self.scalars:
            step = self.program.steps[index]
            if step.function == READ:
                slots[index] = inputs[step.name].to(dtype)
            elif step.function == NUMBER:
                # A fill on the device: a copy from the host would stall the step, and a CUDA graph cannot hold it.
                slots[index] = torch.full((), step.number, dtype=dtype, device=device)
            else:
                slots[index] = step_function(step)(*(slots[operand] for operand in step.operands))
        return slots

    def buffers(self, dtype: torch.dtype) -> dict[int, Tensor]:
        """Return the registers by the indexes of the results that they hold."""
        buffers = {
            number: torch.empty(BLOCK, dtype=torch.int32 if self._is_truth(index) else dtype)
            for index, number in self.registers.items()
        }
        return {index: buffers[number] for index, number in self.registers.items()}


_NOTHING = torch.empty(0)


@lru_cache(maxsize=256)
def _plan(
    expression: Expression,
    fixed: tuple[tuple[str, float], ...],
    learned: tuple[str, ...],
    slopes_by: tuple[str, ...],
    guarded: bool,
    spread: bool,
    narrow: bool,
) -> _Plan:
    program = program_of(expression, dict(fixed), learned, slopes_by, guarded=guarded, spread=spread)
    slopes = [slope for slope in program.slopes.values() if isinstance(slope, int)]
    kept = dict.fromkeys(slopes if narrow else (program.value, *slopes))
    return _Plan(program, tuple(index for index in kept if index in program.varying))


def _whole(plan: _Plan, x: Tensor, tensors: Mapping[str, Tensor]) -> Evaluation:
    dtype, inputs = wide(x.dtype), {**tensors, INPUT: x}
    slots = plan.slots(inputs, dtype, x.device)
    for index in plan.reads:
        slots[index] = inputs[plan.program.steps[index].name].to(dtype)
    for function, operands, index in plan.operations:
        slots[index] = function(*(slots[operand] for operand in operands))
    return _evaluation(plan.program, slots[plan.program.value].to(x.dtype), slots)


def _evaluation(program: Program, value: Tensor, results: Sequence[Tensor] | Mapping[int, Tensor]) -> Evaluation:
    return Evaluation(
        value,
        {name: results[slope] if isinstance(slope, int) else slope for name, slope in program.slopes.items()},
    )


def _by_blocks(
    plan: _Plan, x: Tensor, flat: Tensor, tensors: Mapping[str, Tensor], *, until_overflow: bool = False
) -> Evaluation:
    """Run a plan block by block. With `until_overflow`, raise _NotFinite as soon as a slope is not finite."""
    dtype, program = wide(x.dtype), plan.program
    scalars = plan.slots(tensors, dtype, x.device)
    results = {index: torch.empty_like(x, dtype=dtype) for index in plan.kept if index not in plan.reads}
    y = torch.empty_like(x) if x.dtype != dtype and program.value in program.varying else None
    targets = {index: _flat(result) for index, result in results.items()}
    slopes = [index for index in plan.kept if index in program.slopes.values()]
    flat_y = None if y is None else _flat(y)
    buffers = plan.buffers(dtype)
    for block in _blocks(flat):
        slots = list(scalars)
        for index in plan.reads:
            slots[index] = flat[block].to(dtype)
        for index, buffer in buffers.items():
            slots[index] = buffer[: block.stop - block.start]
        for index, target in targets.items():
            slots[index] = target[block]
        for function, operands, index in plan.block_operations:
            function(*[slots[operand] for operand in operands], out=slots[index])
        if flat_y is not None:
            flat_y[block].copy_(slots[program.value])
        if until_overflow and not all(math.isfinite(slots[index].sum()) for index in slopes):
            raise _NotFinite
    for index in plan.scalars:
        results[index] = scalars[index]
    for index in plan.reads:
        results[index] = x.to(dtype)
    value = results[program.value] if y is None else y
    return _evaluation(program, value.to(x.dtype), results)


def _flat(x: Tensor) -> Tensor:
    flat = flattened(x)
    if flat is None:
        raise ValueError("a new tensor has its elements side by side")
    return flat


def step_function(step: Step) -> Callable[..., Tensor]:
    """Return what computes a step from its operands, with the keyword `out` for where to write the result."""
    if step.function == POWER:
        return partial(_power, int(step.number))
    if step.function.startswith(TEST):
        return _TESTS[step.function.removeprefix(TEST)]
    return _FUNCTIONS[step.function]


def _power(exponent: int, a: Tensor, out: Tensor | None = None) -> Tensor:
    return torch.pow(a, exponent, out=out)  # a product for 2 and 3


def _is_not_zero(a: Tensor, out: Tensor | None = None) -> Tensor:
    return torch.ne(a, 0, out=out)


def _product_or_zero(a: Tensor, b: Tensor, out: Tensor | None = None) -> Tensor:
    zero = torch.logical_or(torch.eq(a, 0), torch.eq(b, 0))
    return torch.mul(a, b, out=out).masked_fill_(zero, 0)


def _cbrt(a: Tensor, out: Tensor | None = None) -> Tensor:
    return torch.mul(torch.sign(a), torch.abs(a).pow(1 / 3), out=out)


def _softplus(a: Tensor, out: Tensor | None = None) -> Tensor:
    # F.softplus turns linear at 20, too early for float64, and F.logsigmoid loses the channels-last format.
    return torch.logaddexp(a, a.new_zeros(()), out=out)


def _number_of(test: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return a comparison whose result is 1 or 0 in the dtype of its operands."""

    def compared(a: Tensor, b: Tensor, out: Tensor | None = None) -> Tensor:
        result: Tensor = test(a, b).to(a.dtype) if out is None else test(a, b, out=out)
        return result

    return compared


_TESTS: Mapping[str, Callable[..., Tensor]] = {"<": torch.lt, "<=": torch.le, ">": torch.gt, ">=": torch.ge}

_FUNCTIONS: Mapping[str, Callable[..., Tensor]] = {
    **{name: _number_of(test) for name, test in _TESTS.items()},
    IS_NOT_ZERO: _is_not_zero,
    PRODUCT_OR_ZERO: _product_or_zero,
    "+": torch.add,
    "-": torch.sub,
    "*": torch.mul,
    "/": torch.div,
    "**": torch.pow,
    "negative": torch.neg,
    "exp": torch.exp,
    "expm1": torch.expm1,
    "log": torch.log,
    "log1p": torch.log1p,
    "log2": torch.log2,
    "log10": torch.log10,
    "sqrt": torch.sqrt,
    "cbrt": _cbrt,
    "sin": torch.sin,
    "cos": torch.cos,
    "tan": torch.tan,
    "asin": torch.asin,
    "acos": torch.acos,
    "atan": torch.atan,
    "sinh": torch.sinh,
    "cosh": torch.cosh,
    "tanh": torch.tanh,
    "asinh": torch.asinh,
    "acosh": torch.acosh,
    "atanh": torch.atanh,
    "erf": torch.erf,
    "abs": torch.abs,
    "sign": torch.sign,
    "floor": torch.floor,
    "ceil": torch.ceil,
    "round": torch.round,
    "sigmoid": torch.sigmoid,
    "softplus": _softplus,
    "minimum": torch.minimum,
    "maximum": torch.maximum,
    "where": torch.where,
}


def block_function(step: Step) -> Callable[..., Tensor]:
    """Return what computes a step of a block of float32s, and writes the result to `out`."""
    return _BLOCKWISE.get(step.function) or step_function(step)


def _masking(test: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return a comparison that writes 32 ones where it holds, and 32 zeros elsewhere.

    The comparison into floats and its conversion take a third of the time of a comparison into truth values.
    """

    def masked(a: Tensor, b: Tensor | int, out: Tensor) -> Tensor:
        return out.copy_(test(a, b, out=torch.empty(out.shape))).neg_()

    return masked


def _selected(mask: Tensor, a: Tensor, b: Tensor, out: Tensor) -> Tensor:
    """Write the bits of `a` where the mask has ones and those of `b` elsewhere, in half the time of `torch.where`."""
    if mask.dtype == torch.bool:  # that of a condition which is the same for all elements
        mask = mask.to(torch.int32).neg_()
    ones, zeros, bits = a.view(torch.int32), b.view(torch.int32), out.view(torch.int32)
    different = torch.bitwise_xor(ones, zeros, out=bits if a.dim() or b.dim() else None)
    torch.bitwise_and(different, mask, out=bits).bitwise_xor_(zeros)
    return out


def _tanh(a: Tensor, out: Tensor) -> Tensor:
    """Write tanh in half the time of torch's, from expm1, with the same relative error."""
    doubled = torch.clamp(a, -20, 20, out=out).mul_(-2)
    torch.expm1(doubled, out=out)
    return torch.div(out, out + 2, out=out).neg_()


_BLOCKWISE: Mapping[str, Callable[..., Tensor]] = {
    **{TEST + name: _masking(test) for name, test in _TESTS.items()},
    IS_NOT_ZERO: lambda a, out: _masking(torch.ne)(a, 0, out=out),
    "where": _selected,
    "tanh": _tanh,
}
"""The functions that have a faster form for a block of float32."""
