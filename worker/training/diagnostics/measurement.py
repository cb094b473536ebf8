"""Measure every layer of a network at the start and after each epoch; docs/diagnostics.md explains the figures.

It runs in the loop's hooks and changes nothing that training reads: no random stream, no running statistic, no
gradient, no mode. What it needs again after a resume is in `TrainingState.hook_state`.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from service.domain.activations.saturation import NO_SATURATION, NOWHERE, Saturation, Sides, saturation, sides
from service.domain.diagnostics import LayerDiagnostics
from service.domain.network import HEAD
from worker.training.activations import ActivationModule
from worker.training.diagnostics import updates
from worker.training.diagnostics.activity import Activity, Peaks, by_unit
from worker.training.diagnostics.probe import pass_through, probe, probing, training_set
from worker.training.evaluation import Examples, losses
from worker.training.model import Block
from worker.training.state import TrainingState

GRADIENT_BATCHES = 1
"""The batches of the probe that the gradient is taken of: a backward pass costs twice a forward one. It is taken of all
batches where they are the whole training set."""


class Diagnostics:
    """The diagnostics of one run.

    Call `on_step` in that hook, before anything that takes a snapshot, and `measure` in `on_epoch`.
    """

    def __init__(self, after_batch: Callable[[], None] = lambda: None) -> None:
        """`after_batch` is called after each batch of images, so that a long measurement is not without a hook."""
        self._after_batch = after_batch
        self._probe: list[Examples] | None = None
        self._graded = GRADIENT_BATCHES

    def use(self, batches: list[Examples], graded: int) -> None:
        """Measure on these batches in place of the probe, and take the gradient of the first `graded` of them."""
        self._probe, self._graded = batches, graded

    def on_step(self, state: TrainingState) -> None:
        updates.note_step(state)

    def measure(self, state: TrainingState) -> list[LayerDiagnostics]:
        """Return one record a layer, from the input to the output."""
        if state.epochs_done == 0:
            updates.note_start(state)
        activities, gradients = self._probed(state)
        figures = {name: _of_kernel(gradients[name]) for name in gradients}
        for name, activity in activities.items():
            figures[name] |= activity.figures()
        for name, same in updates.unchanged(state).items():
            figures[name]["unchanged"] = same
        for name, ratio in updates.last_step(state).items():
            figures[name]["update_ratio"] = ratio
        for name, share in self._confirmed(state, activities).items():
            figures[name]["dead_share_confirmed"] = share
        for name, block in state.network.named_blocks().items():
            figures[name]["parameters"] = _learned(block)
        updates.note_step(state)
        return [
            LayerDiagnostics.of({"epoch": state.epochs_done, "layer": name, "position": position, **of_layer})
            for position, (name, of_layer) in enumerate(figures.items())
        ]

    def _probed(self, state: TrainingState) -> tuple[dict[str, Activity], dict[str, Tensor]]:
        """Return the activities by layer, and the gradients of the mean cross-entropy by kernel."""
        if self._probe is None:
            self._probe = probe(state)
            if sum(map(len, self._probe)) == len(state.train_positions):
                self._graded = len(self._probe)
        activities = _activities(state)
        kernels = updates.kernels(state.network)
        gradients = {name: torch.zeros_like(kernel) for name, kernel in kernels.items()}
        graded = sum(map(len, self._probe[: self._graded]))
        with probing(state.network):
            for number, batch in enumerate(self._probe):
                with torch.set_grad_enabled(number < self._graded):
                    passed = pass_through(state.network, batch.images)
                for name, activity in activities.items():
                    activity.add(passed.before.get(name, passed.logits.detach()), passed.after.get(name))
                if passed.logits.requires_grad:
                    loss = losses(passed.logits, batch.targets, state.spec.output).sum() / graded
                    parts = torch.autograd.grad(loss, list(kernels.values()), materialize_grads=True)
                    for total, part in zip(gradients.values(), parts, strict=True):
                        total += part
                self._after_batch()
        return activities, gradients

    def _confirmed(self, state: TrainingState, activities: dict[str, Activity]) -> dict[str, float]:
        """Return by layer the share of units that are dead on the probe and on the whole training set.

        It is measured after the last epoch alone, because it takes a pass over all images. The pass ends as soon as no
        unit is left that may be dead.
        """
        if not (state.finished and _sides(state).dies):
            return {}
        dead = {name: activities[name].peaks.dead for name in state.network.named_blocks()}
        peaks = {name: Peaks(activities[name].units, _flat(state, name), state.device) for name in dead}
        with probing(state.network), torch.no_grad():
            for batch in training_set(state):
                if not any(units.any() for units in dead.values()):
                    break
                passed = pass_through(state.network, batch.images)
                for name in dead:
                    peaks[name].add(by_unit(passed.before[name]))
                    dead[name] &= peaks[name].dead
                self._after_batch()
        return {name: units.double().mean().item() for name, units in dead.items()}


def _activities(state: TrainingState) -> dict[str, Activity]:
    kind, device = _sides(state), state.device
    units = {name: len(kernel) for name, kernel in updates.kernels(state.network).items()}
    hidden = {name: Activity(units[name], kind, _flat(state, name), device) for name in state.network.named_blocks()}
    return hidden | {HEAD: Activity(units[HEAD], NOWHERE, NO_SATURATION, device)}


def _sides(state: TrainingState) -> Sides:
    choice = state.spec.activation
    return sides(choice.definition.expression, choice.values)


def _flat(state: TrainingState, name: str) -> Saturation:
    """Return where the activation of a block has flattened, with the parameters that it has learned so far."""
    kind, choice = _sides(state), state.spec.activation
    learned = _learned(state.network.named_blocks()[name])
    return saturation(choice.definition.expression, choice.values | learned, kind)


def _learned(block: Block) -> dict[str, float]:
    """Return the learned parameters of a block's activation by name."""
    if not isinstance(block.activation, ActivationModule):
        raise TypeError("a block's activation is an ActivationModule")
    return {name: parameter.item() for name, parameter in block.activation.learned.items()}


def _of_kernel(gradient: Tensor) -> dict[str, Any]:
    norm = torch.linalg.vector_norm(gradient, dtype=torch.float64).item()
    return {"units": len(gradient), "gradient_norm": norm, "gradient_rms": norm / math.sqrt(gradient.numel())}
