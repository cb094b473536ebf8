"""The initial values of kernels, drawn as Keras does (`keras.initializers`) from an explicit random stream."""

import math

import torch
from torch import Tensor, nn

from service.domain.spec import ExperimentSpec

TRUNCATED_DEVIATION = 0.87962566103423978  # standard deviation of a standard normal cut off at two of them


def initialise(kernel: Tensor, spec: ExperimentSpec, generator: torch.Generator) -> None:
    """Fill a kernel (outputs, inputs, ...) in place with the spec's initialisation."""
    kind: str = spec.model.init
    if kind == "recommended":
        kind = spec.activation.definition.initialisation.name
    _FILL[kind](kernel, generator)


def _glorot_uniform(kernel: Tensor, generator: torch.Generator) -> None:
    nn.init.xavier_uniform_(kernel, generator=generator)


def _he_normal(kernel: Tensor, generator: torch.Generator) -> None:
    _truncated_normal(kernel, 2.0, generator)


def _lecun_normal(kernel: Tensor, generator: torch.Generator) -> None:
    _truncated_normal(kernel, 1.0, generator)


def _truncated_normal(kernel: Tensor, gain: float, generator: torch.Generator) -> None:
    """Draw with variance gain / fan-in, cut off at two of the uncut distribution's standard deviations."""
    deviation = math.sqrt(gain / kernel[0].numel()) / TRUNCATED_DEVIATION
    nn.init.trunc_normal_(kernel, 0.0, deviation, -2 * deviation, 2 * deviation, generator=generator)


_FILL = {"glorot_uniform": _glorot_uniform, "he_normal": _he_normal, "lecun_normal": _lecun_normal}
