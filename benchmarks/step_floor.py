"""Compare the time of a training step with that of its convolutions and matrix products run alone, the floor.

The kernels get the inputs, weights and gradients of a step, in its precision and memory format. Steps and kernels are
timed in turns in one process; the figures are medians. `--profile` adds the operations of the step by torch's profiler.

    ACTLAB_DATA_DIR=... python -m benchmarks.step_floor --rounds 30
"""

import os
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
import typer
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from service.datasets.locations import Locations
from service.domain.spec import ExperimentSpec
from worker.training.datasets.tensors import load
from worker.training.evaluation import scaled
from worker.training.execution import Execution
from worker.training.layers import Convolution
from worker.training.loop import train_step
from worker.training.state import TrainingState

Kernels = Mapping[str, Callable[[], object]]


def kernels(state: TrainingState, execution: Execution) -> Kernels:
    """Return the forward and backward kernels of every layer by name, with the tensors of a step."""
    inputs: dict[str, Tensor] = {}
    outputs: dict[str, Tensor] = {}
    hooks = []
    for name, kernel in state.network.kernels().items():
        hooks.append(kernel.register_forward_pre_hook(lambda _, x, name=name: inputs.update({name: x[0]})))
        hooks.append(kernel.register_forward_hook(lambda _, x, y, name=name: outputs.update({name: y})))
    with execution.autocast(), torch.no_grad():
        state.network(scaled(state.data.train_images[state.order()[: state.batch_size]]))
    for hook in hooks:
        hook.remove()
    alone: dict[str, Callable[[], object]] = {}
    for number, (name, kernel) in enumerate(state.network.kernels().items()):
        y = outputs[name].detach()
        x, weight = inputs[name].detach().to(y.dtype), kernel.weight.detach().to(y.dtype)
        of_layer = convolution if isinstance(kernel, Convolution) else product
        forward, backward = of_layer(x, weight, torch.randn_like(y), with_input=number > 0)
        alone |= {f"{name} forward": forward, f"{name} backward": backward}
    return alone


def convolution(
    x: Tensor, weight: Tensor, gradient: Tensor, *, with_input: bool
) -> tuple[Callable[[], object], Callable[[], object]]:
    mask = [with_input, True, False]
    return (
        lambda: torch.conv2d(x, weight),
        lambda: torch.ops.aten.convolution_backward(
            gradient, x, weight, None, [1, 1], [0, 0], [1, 1], False, [0, 0], 1, mask
        ),
    )


def product(
    x: Tensor, weight: Tensor, gradient: Tensor, *, with_input: bool
) -> tuple[Callable[[], object], Callable[[], object]]:
    return lambda: x @ weight.t(), lambda: (gradient.t() @ x, gradient @ weight if with_input else None)


def seconds(function: Callable[[], object]) -> float:
    """Return wall-clock time, and with one thread processor time, which other load on the machine affects less."""
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    started = clock()
    function()
    return clock() - started


def main(
    dataset: str = "mnist_5k",
    activation: str = "relu",
    rounds: int = 30,
    threads: int | None = None,
    with_profile: bool = typer.Option(False, "--profile"),
) -> None:
    spec = ExperimentSpec.model_validate({"activation": activation, "dataset": dataset})
    execution = Execution.resolve(spec, device="cpu", threads=threads)
    execution.prepare()
    data_dir = os.environ.get("ACTLAB_DATA_DIR")
    data = load(dataset, Locations(home=Path(".actlab"), data_dir=None if data_dir is None else Path(data_dir)))
    state = TrainingState(spec, data, execution)
    state.network.train()
    order = state.order()

    def step() -> None:
        start = state.step % state.steps_per_epoch * state.batch_size
        train_step(state, execution, order[start : start + state.batch_size])

    alone = kernels(state, execution)
    times: dict[str, list[float]] = {name: [] for name in ("step", *alone)}
    for turn in range(rounds + 3):
        for name, function in {"step": step, **alone}.items():
            taken = seconds(function)
            if turn >= 3:  # the first ones warm up
                times[name].append(taken)
    typer.echo(execution.fingerprint().model_dump_json(exclude={"mixed"}))
    typer.echo(f"{dataset}, {activation}, batch {spec.batch_size}, n = {rounds}; medians in ms:")
    medians = {name: 1000 * statistics.median(values) for name, values in times.items()}
    for name in alone:
        typer.echo(f"{name:<20} {medians[name]:7.2f}")
    floor = sum(medians[name] for name in alone)
    typer.echo(f"floor {floor:.2f}, step {medians['step']:.2f}, ratio {medians['step'] / floor:.2f}, target 1.5")
    if with_profile:
        with profile(activities=[ProfilerActivity.CPU]) as profiled:
            for _ in range(rounds):
                step()
        typer.echo(profiled.key_averages().table(sort_by="self_cpu_time_total", row_limit=30, max_name_column_width=50))


if __name__ == "__main__":
    typer.run(main)
