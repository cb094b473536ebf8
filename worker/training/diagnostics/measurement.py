"""What goes on inside a network at the start and after each epoch, layer by layer; docs/diagnostics.md explains it.

It hangs on the loop's hooks and changes nothing that training reads: no random stream, no running statistic, no
gradient, no mode. What it must find again after a resume lies in `Progress.kept`.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from service.domain.activations.saturation import NO_SATURATION, NOWHERE, Saturation, Sides, saturation, sides
from service.domain.diagnostics import LayerDiagnostics
from worker.training.activations import ActivationModule
from worker.training.diagnostics import updates
from worker.training.diagnostics.activity import Activity, Peaks, by_unit
from worker.training.diagnostics.probe import pass_through, probe, probing, training_set
from worker.training.evaluation import Examples, losses
from worker.training.model import Block
from worker.training.state import Progress

GRADIENT_BATCHES = 4
"""Batches of the probe that the gradient is taken of: 500 images. A backward pass costs twice a forward one."""


class Diagnostics:
    """Of one run. Call `on_step` in that hook, before anything that takes a snapshot, and `measure` in `on_epoch`."""

    def __init__(self, after_batch: Callable[[], None] = lambda: None) -> None:
        """`after_batch` is called after each batch of images, so that this is no time without a hook."""
        self._after_batch = after_batch
        self._probe: list[Examples] | None = None

    def on_step(self, progress: Progress) -> None:
        updates.note_step(progress)

    def measure(self, progress: Progress) -> list[LayerDiagnostics]:
        """One record a layer, from the input to the output."""
        if progress.epochs_done == 0:
            updates.note_start(progress)
        activities, gradients = self._probed(progress)
        figures = {name: _of_kernel(gradients[name]) for name in gradients}
        for name, activity in activities.items():
            figures[name] |= activity.figures()
        for name, same in updates.unchanged(progress).items():
            figures[name]["unchanged"] = same
        for name, ratio in updates.last_step(progress).items():
            figures[name]["update_ratio"] = ratio
        for name, share in self._confirmed(progress, activities).items():
            figures[name]["dead_share_confirmed"] = share
        for name, block in progress.network.named_blocks().items():
            figures[name]["parameters"] = _learned(block)
        updates.note_step(progress)
        return [
            LayerDiagnostics.of({"epoch": progress.epochs_done, "layer": name, "position": position, **of_layer})
            for position, (name, of_layer) in enumerate(figures.items())
        ]

    def _probed(self, progress: Progress) -> tuple[dict[str, Activity], dict[str, Tensor]]:
        """Activities, and the gradient of the mean cross-entropy by each kernel."""
        if self._probe is None:
            self._probe = probe(progress)
        activities = _activities(progress)
        kernels = updates.kernels(progress.network)
        gradients = {name: torch.zeros_like(kernel) for name, kernel in kernels.items()}
        graded = sum(map(len, self._probe[:GRADIENT_BATCHES]))
        with probing(progress.network):
            for number, batch in enumerate(self._probe):
                with torch.set_grad_enabled(number < GRADIENT_BATCHES):
                    passed = pass_through(progress.network, batch.images)
                for name, activity in activities.items():
                    activity.add(passed.before.get(name, passed.logits.detach()), passed.after.get(name))
                if passed.logits.requires_grad:
                    loss = losses(passed.logits, batch.targets, progress.spec.output).sum() / graded
                    found = torch.autograd.grad(loss, list(kernels.values()), materialize_grads=True)
                    for total, part in zip(gradients.values(), found, strict=True):
                        total += part
                self._after_batch()
        return activities, gradients

    def _confirmed(self, progress: Progress, activities: dict[str, Activity]) -> dict[str, float]:
        """Shares of units dead on the probe that are so on the whole training set: after the last epoch alone, because
        that takes a pass over all images, as long as there is a unit left that may be."""
        if not (progress.finished and _sides(progress).dies):
            return {}
        dead = {name: activities[name].peaks.dead for name in progress.network.named_blocks()}
        peaks = {name: Peaks(activities[name].units, _flat(progress, name), progress.device) for name in dead}
        with probing(progress.network), torch.no_grad():
            for batch in training_set(progress):
                if not any(units.any() for units in dead.values()):
                    break
                passed = pass_through(progress.network, batch.images)
                for name in dead:
                    peaks[name].add(by_unit(passed.before[name]))
                    dead[name] &= peaks[name].dead
                self._after_batch()
        return {name: units.double().mean().item() for name, units in dead.items()}


def _activities(progress: Progress) -> dict[str, Activity]:
    kind, device = _sides(progress), progress.device
    units = {name: len(kernel) for name, kernel in updates.kernels(progress.network).items()}
    found = {n: Activity(units[n], kind, _flat(progress, n), device) for n in progress.network.named_blocks()}
    return found | {"output": Activity(units["output"], NOWHERE, NO_SATURATION, device)}


def _sides(progress: Progress) -> Sides:
    choice = progress.spec.activation
    return sides(choice.definition.expression, choice.values)


def _flat(progress: Progress, name: str) -> Saturation:
    """Where the activation of a block has flattened, with what it has learned so far."""
    kind, choice = _sides(progress), progress.spec.activation
    learned = _learned(progress.network.named_blocks()[name])
    return saturation(choice.definition.expression, choice.values | learned, kind)


def _learned(block: Block) -> dict[str, float]:
    """Parameters of its activation that are trained, by name."""
    if not isinstance(block.activation, ActivationModule):
        raise TypeError("a block's activation is an ActivationModule")
    return {name: parameter.item() for name, parameter in block.activation.learned.items()}


def _of_kernel(gradient: Tensor) -> dict[str, Any]:
    norm = torch.linalg.vector_norm(gradient, dtype=torch.float64).item()
    return {"units": len(gradient), "gradient_norm": norm, "gradient_rms": norm / math.sqrt(gradient.numel())}
