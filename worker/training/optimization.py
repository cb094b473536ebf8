"""Optimizers, learning-rate schedules and early stopping."""

import math
from typing import Any, Protocol

import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau

from service.domain.spec import EarlyStopping as EarlyStoppingRule
from service.domain.spec import ExperimentSpec
from worker.training.model import Network

EPSILON = 1e-7  # Keras's default; PyTorch's is 1e-8 for Adam and 1e-6 for Adadelta
ADADELTA_DECAY = 0.95  # Keras's default and the one of Zeiler (2012); PyTorch's is 0.9
PLATEAU_FACTOR = 0.2
PLATEAU_EPOCHS = 5  # as Keras counts: the rate falls after this many epochs without a fall of the loss
PLATEAU_THRESHOLD = 1e-4  # nats
LOWEST_RATE = 1e-5


def make_optimizer(spec: ExperimentSpec, network: Network) -> torch.optim.Optimizer:
    """Return the spec's optimizer over all parameters, with the L2 term as weight decay of the regularised kernels.

    The term l2 * sum(w^2) of the loss has the gradient 2 * l2 * w, which is a weight decay of 2 * l2 added to the
    gradient (not AdamW's, which bypasses Adam's scaling).
    """
    kernels = network.regularised()
    regularised = {id(kernel) for kernel in kernels}
    groups: list[dict[str, Any]] = [
        {"params": kernels, "weight_decay": 2 * spec.optimizer.l2},
        {"params": [parameter for parameter in network.parameters() if id(parameter) not in regularised]},
    ]
    rate = learning_rate(spec)
    match spec.optimizer.name:
        case "adam":
            return torch.optim.Adam(groups, rate, eps=EPSILON, fused=True)
        case "sgd":
            return torch.optim.SGD(groups, rate, momentum=spec.optimizer.momentum, fused=True)
        case "adadelta":
            return torch.optim.Adadelta(groups, rate, rho=ADADELTA_DECAY, eps=EPSILON)


def learning_rate(spec: ExperimentSpec) -> float:
    if spec.optimizer.learning_rate is None:
        raise ValueError("a validated spec always has a learning rate")
    return spec.optimizer.learning_rate


def l2_penalty(spec: ExperimentSpec, network: Network) -> float:
    """Return the L2 term of the loss in nats; 0 for a network without regularised kernels."""
    with torch.no_grad():
        squares = sum(kernel.double().square().sum() for kernel in network.regularised())
    return spec.optimizer.l2 * float(squares)


class Schedule(Protocol):
    """A learning-rate schedule: sets the optimizer's rate for the next epoch."""

    def after_epoch(self, epoch: int, loss: float) -> None:
        """Set the rate for the next epoch. `loss`: cross-entropy plus L2 on the validation set after `epoch`."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any]) -> None: ...


class Constant:
    """Keeps the first learning rate."""

    def after_epoch(self, epoch: int, loss: float) -> None:
        pass

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        pass


class Cosine(Constant):
    """Lowers the rate by half a cosine from the first rate, in epoch 1, down to 0 after the last.

    PyTorch's CosineAnnealingLR computes each rate from the one before, which gives other bits (in 42 of 50 epochs), and
    keeps a state that checkpoints of version 0.1.0 do not hold.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, rate: float, epochs: int) -> None:
        self.optimizer = optimizer
        self.rate = rate
        self.epochs = epochs

    def after_epoch(self, epoch: int, loss: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * (1 + math.cos(math.pi * epoch / self.epochs)) / 2


class Plateau:
    """PyTorch's ReduceLROnPlateau with the article's settings and Keras's count.

    PyTorch lowers the rate after more than `patience` bad epochs, Keras after as many: hence one less.
    """

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self.scheduler = ReduceLROnPlateau(
            optimizer,
            factor=PLATEAU_FACTOR,
            patience=PLATEAU_EPOCHS - 1,
            threshold=PLATEAU_THRESHOLD,
            threshold_mode="abs",
            min_lr=LOWEST_RATE,
        )

    def after_epoch(self, epoch: int, loss: float) -> None:
        self.scheduler.step(loss)

    def state_dict(self) -> dict[str, Any]:
        return self.scheduler.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.scheduler.load_state_dict(state)


def make_schedule(spec: ExperimentSpec, optimizer: torch.optim.Optimizer) -> Schedule:
    match spec.schedule:
        case "reduce_on_plateau":
            return Plateau(optimizer)
        case "cosine":
            return Cosine(optimizer, learning_rate(spec), spec.epochs)
        case "none":
            return Constant()


class EarlyStopping:
    """Counts the epochs without an improvement: a fall of the validation loss by more than the rule's `min_delta`.

    `exhausted` is true after `patience` of them, and never without a rule.
    """

    def __init__(self, rule: EarlyStoppingRule | None) -> None:
        self.rule = rule
        self.lowest = math.inf
        self.waited = 0

    @property
    def exhausted(self) -> bool:
        return self.rule is not None and self.waited >= self.rule.patience

    def after_epoch(self, loss: float) -> None:
        if self.rule is not None and loss < self.lowest - self.rule.min_delta:
            self.lowest, self.waited = loss, 0
        else:
            self.waited += 1

    def state_dict(self) -> dict[str, float]:
        return {"lowest": self.lowest, "waited": self.waited}

    def load_state_dict(self, state: dict[str, float]) -> None:
        self.lowest, self.waited = state["lowest"], int(state["waited"])
