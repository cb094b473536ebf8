"""Measure the time of formulas, forward and backward, relative to torch's fused ReLU, and print their memory.

    python -m benchmarks.formula_cost [--rounds 15] [--precision bfloat16] [--threads 2]

It prints first the time of each step of a formula's program, the source of the figures in
`service/domain/activations/cost.py`; then formulas, with the time that those figures estimate, and other activations.
Times are medians relative to ReLU's on the same tensor, taken in turns: of processor time, or with several threads of
wall-clock time.
"""

import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from math import ceil, prod

import torch
import typer
from torch import Tensor
from torch.nn import functional as F

from service.domain.activations.cost import TIMES, estimated_cost
from service.domain.activations.selection import ActivationSpec
from service.domain.formulas.expression import ARITY, softmax
from service.domain.formulas.parser import parse
from service.domain.formulas.programs import IS_NOT_ZERO, POWER, TEST, Step
from service.domain.network import layers
from service.domain.spec import ExperimentSpec
from worker.training.activations import build, definition
from worker.training.programs import BLOCK, block_function

SPEC = ExperimentSpec.model_validate({"activation": "relu"})
CHANNELS, *SIDES = next(layer for layer in layers(SPEC) if layer.pooled).pooled_outputs
SHAPE = (SPEC.batch_size * prod(SIDES), CHANNELS)  # of a batch after pooling
FORMULAS = (
    "x * sigmoid(x)", "x * sigmoid(1.5 * x)", "x * tanh(softplus(0.5 * x))", "where(x > 0, x, 0.1 * expm1(x))",
    "x / sqrt(1 + x * x)", "x + sin(3 * x) ** 2 / 3", "maximum(x, 0.2 * x)", "x * exp(-x * x / 2)",
    "tanh(x) + 0.1 * x", "x ** 3 / (1 + x ** 2)", "where(x > 0, log1p(x), -log1p(-x))", "x * erf(softplus(x))",
)  # fmt: skip
NAMES = ("step", "rrelu", "prelu", "gelu", "mish", "swish(beta=1.5)")


def seconds(function: Callable[[Tensor], Tensor], x: Tensor, gradient: Tensor) -> float:
    clock = time.thread_time if torch.get_num_threads() == 1 else time.perf_counter
    started = clock()
    y = function(x)
    if y.requires_grad:  # that of a step, such as floor(x), does not
        torch.autograd.grad(y, x, gradient)
    return clock() - started


def ratios(functions: dict[str, Callable[[Tensor], Tensor]], rounds: int, dtype: torch.dtype) -> dict[str, float]:
    """Return the ratio of each function's median time to ReLU's."""
    x = torch.randn(SHAPE).to(dtype).requires_grad_()
    gradient = torch.rand(SHAPE).to(dtype)
    measured: dict[str, list[float]] = {name: [] for name in ("", *functions)}
    for turn in range(rounds + 1):
        for name, function in functions.items():
            taken = {"": seconds(F.relu, x, gradient), name: seconds(function, x, gradient)}
            if turn:  # the first one warms up
                for key, value in taken.items():
                    measured[key].append(value)
    medians = {name: statistics.median(times) for name, times in measured.items()}
    typer.echo(f"ReLU {1000 * medians['']:.2f} ms")
    return {name: medians[name] / medians[""] for name in functions}


def steps() -> dict[str, Callable[[Tensor], Tensor]]:
    """Return by the function of a step what computes it in blocks, without a gradient."""
    of_softmax = softmax(parse("x"))
    return {
        name: (lambda x: definition(of_softmax, x, {})) if name == "softmax" else in_blocks(name)
        for name in TIMES
        if name != "read"
    }


def in_blocks(name: str) -> Callable[[Tensor], Tensor]:
    arity = {POWER: 1, IS_NOT_ZERO: 1}.get(name) or ARITY[name.removeprefix(TEST)]
    operands = [torch.rand(BLOCK) + 0.01 + (name == "acosh") for _ in range(arity)]
    if name == "where":
        operands[0] = -torch.randint(2, (BLOCK,), dtype=torch.int32)
    function = block_function(Step(name, number=3.0))
    result = torch.empty_like(
        operands[-1], dtype=torch.int32 if name.startswith((TEST, IS_NOT_ZERO)) else torch.float32
    )

    def computed(x: Tensor) -> Tensor:
        for _ in range(ceil(x.numel() / BLOCK)):
            function(*operands, out=result)
        return result

    return computed


def main(rounds: int = 15, precision: str = "float32", threads: int = 1, with_steps: bool = True) -> None:
    torch.set_num_threads(threads)
    dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16}[precision]
    elements = SHAPE[0] * SHAPE[1]
    typer.echo(
        f"{platform.machine()}, torch {version('torch')}, {elements:,} elements, {precision}, n = {rounds}; ReLU = 1"
    )
    if with_steps:
        typer.echo(
            f"{'overhead':<18} {ratios({'': lambda x: definition(parse('x * 0.5'), x, {})}, rounds, dtype)['']:6.2f}"
        )
        for name, ratio in ratios(steps(), rounds, dtype).items():
            typer.echo(f"{name:<18} {ratio:6.2f}")
    specs = {text: ActivationSpec(formula=text) for text in FORMULAS} | {name: named(name) for name in NAMES}
    measured = ratios({text: build(spec, torch.Generator()) for text, spec in specs.items()}, rounds, dtype)
    for text, spec in specs.items():
        cost = estimated_cost(spec, prod(SHAPE))
        typer.echo(
            f"{text:<36} time {measured[text]:6.2f} (estimated {cost.time_ratio:5.1f}),"
            f" {cost.bytes_per_element} bytes an element{', fused' if cost.fused else ''}"
        )


def named(text: str) -> ActivationSpec:
    name, _, parameter = text.rstrip(")").partition("(")
    key, _, value = parameter.partition("=")
    return ActivationSpec.model_validate({"name": name, "parameters": {key: float(value)} if key else {}})


if __name__ == "__main__":
    typer.run(main)
