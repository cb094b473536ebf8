"""Measure the time of formulas, forward and backward, relative to torch's fused ReLU, and print their memory.

    python -m benchmarks.formula_cost [--rounds 15]

It prints first what each operation of the language adds to a formula, the source of the figures in
`service/domain/activations/cost.py`; then formulas, with the time that those figures estimate. Times are medians of
ratios to ReLU on the same tensor, taken in turns, of processor time in float32 with one thread.
"""

import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from math import prod

import torch
import typer
from torch import Tensor
from torch.nn import functional as F

from service.domain.activations.cost import estimated_cost
from service.domain.activations.selection import ActivationSpec
from service.domain.formulas.expression import ARITY
from service.domain.formulas.library import DEFINITIONS
from service.domain.formulas.parser import parse
from service.domain.network import layers
from service.domain.spec import ExperimentSpec
from worker.training.activations import build, definition

SPEC = ExperimentSpec.model_validate({"activation": "relu"})
CHANNELS, *SIDES = next(layer for layer in layers(SPEC) if layer.pooled).pooled_outputs
SHAPE = (SPEC.batch_size * prod(SIDES), CHANNELS)  # of a batch after pooling
OVERHEAD = "overhead"
POWER = "** 3"
PART = "(x * x)"  # an argument with a slope of its own
ARITIES = {name: arity for name, arity in ARITY.items() if arity and name not in DEFINITIONS}
INFIX = {"+", "-", "*", "/", "**", "<", "<=", ">", ">="}
FORMULAS = (
    "x * sigmoid(x)", "x * sigmoid(1.5 * x)", "x * tanh(softplus(0.5 * x))", "where(x > 0, x, 0.1 * expm1(x))",
    "x / sqrt(1 + x * x)", "x + sin(3 * x) ** 2 / 3", "maximum(x, 0.2 * x)", "x * exp(-x * x / 2)",
    "tanh(x) + 0.1 * x", "x ** 3 / (1 + x ** 2)", "where(x > 0, log1p(x), -log1p(-x))", "x * erf(softplus(x))",
)  # fmt: skip


def seconds(function: Callable[[Tensor], Tensor], x: Tensor, gradient: Tensor) -> float:
    started = time.thread_time()
    y = function(x)
    if y.requires_grad:  # that of a step, such as floor(x), does not
        torch.autograd.grad(y, x, gradient)
    return time.thread_time() - started


def ratios(functions: dict[str, Callable[[Tensor], Tensor]], rounds: int) -> dict[str, float]:
    """Return the median ratio of each function's time to ReLU's."""
    x = (torch.rand(SHAPE) + 0.01).requires_grad_()
    gradient = torch.rand(SHAPE)
    measured: dict[str, list[float]] = {name: [] for name in functions}
    for turn in range(rounds + 1):
        for name, function in functions.items():
            base = (seconds(F.relu, x, gradient) + seconds(F.relu, x, gradient)) / 2
            if turn:  # the first one warms up
                measured[name].append(seconds(function, x, gradient) / base)
    return {name: statistics.median(values) for name, values in measured.items()}


def tree(text: str) -> Callable[[Tensor], Tensor]:
    expression = parse(text)
    return lambda x: definition(expression, x, {})


def call(name: str, *arguments: str) -> str:
    if name == "negative":
        return f"-{arguments[0]}"
    if name in INFIX:  # a comparison has no slope, and is no formula alone
        text = f"({arguments[0]} {name} {arguments[1]})"
        return f"{PART} * {text}" if name[0] in "<>" else text
    return f"{name}({', '.join(arguments)})"


def added(rounds: int) -> dict[str, tuple[float, float | None]]:
    """Return what each operation adds: with one argument that depends on x, and where all of several do."""
    fixed = {name: call(name, PART, *["0.5"] * (arity - 1)) for name, arity in ARITIES.items()}
    fixed["acosh"] = call("acosh", f"(1 + {PART})")
    fixed[POWER] = f"{PART} ** 3"
    whole = {name: call(name, *[PART] * arity) for name, arity in ARITIES.items() if arity > 1}
    texts = {OVERHEAD: "x * 0.5", PART: PART, **fixed, **{f"{name} of all": text for name, text in whole.items()}}
    measured = ratios({name: tree(text) for name, text in texts.items()}, rounds)
    part = measured[PART] - measured[OVERHEAD]
    times = {}
    for name, arity in ARITIES.items():
        alone = measured[name] - measured[PART]
        together = measured[f"{name} of all"] - measured[OVERHEAD] - arity * part if arity > 1 else None
        times[name] = (alone, together)
    return {OVERHEAD: (measured[OVERHEAD], None), POWER: (measured[POWER] - measured[PART], None), **times}


def main(rounds: int = 15) -> None:
    torch.set_num_threads(1)
    typer.echo(
        f"{platform.machine()}, torch {version('torch')}, {SHAPE[0] * SHAPE[1]:,} elements, n = {rounds}; ReLU = 1"
    )
    for name, (alone, together) in added(rounds).items():
        typer.echo(f"{name:<10} {alone:6.1f}" + ("" if together is None else f" {together:6.1f} where all depend on x"))
    specs = {text: ActivationSpec(formula=text) for text in FORMULAS}
    measured = ratios({text: build(spec, torch.Generator()) for text, spec in specs.items()}, rounds)
    for text, spec in specs.items():
        cost = estimated_cost(spec, prod(SHAPE))
        typer.echo(
            f"{text:<36} time {measured[text]:6.1f} (estimated {cost.time_ratio:5.1f}),"
            f" {cost.bytes_per_element} bytes an element{', fused' if cost.fused else ''}"
        )


if __name__ == "__main__":
    typer.run(main)
