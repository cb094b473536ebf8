"""Whether a network of linear layers is one linear layer: y = x W + b, found from its answers to one image a pixel."""

from collections.abc import Callable

import torch
from torch import Tensor

from service.domain.results import LinearCollapse
from service.domain.spec import ExperimentSpec
from worker.training.evaluation import CHUNKS
from worker.training.model import Network
from worker.training.randomness import Streams
from worker.training.state import Weights


def may_collapse(spec: ExperimentSpec) -> bool:
    """Whether every layer is linear: the activation of hidden ones is the identity, and pooling takes means."""
    model = spec.model
    activated = model.hidden_layers and spec.activation.recognised.name != "linear"
    return not activated and (model.pool == "avg" or not model.conv_channels)


@torch.no_grad()
def linear_collapse(
    spec: ExperimentSpec, weights: Weights, images: Tensor, after_chunk: Callable[[], None] = lambda: None
) -> LinearCollapse:
    """Holds W and b, from the answers to a black image and to one white pixel at a time, against the answers to
    `images`, uint8 (n, channels, height, width): in evaluation mode, in float64, on their device."""
    network = Network(spec, Streams(spec.seed, images.device)).to(images.device)
    network.load_state_dict(weights)
    network.double().eval()
    dataset = spec.dataset_definition
    bias = network(torch.zeros(1, *dataset.shape, dtype=torch.float64, device=images.device))  # (1, outputs)
    pixels = torch.eye(dataset.pixels, dtype=torch.float64, device=images.device).view(-1, *dataset.shape)
    chunk = CHUNKS[images.device.type]
    rows = []
    for part in torch.split(pixels, chunk):
        rows.append(network(part) - bias)
        after_chunk()
    matrix = torch.cat(rows)  # (pixels, outputs)
    largest = torch.zeros((), dtype=torch.float64, device=images.device)
    for part in torch.split(images, chunk):
        x = part.double() / 255
        differences = (network(x) - (x.flatten(1) @ matrix + bias)).abs()
        largest = torch.maximum(largest, differences.max())
        after_chunk()
    return LinearCollapse.of(dataset.pixels + 1, len(images), float(largest))
