"""A test whether a network of linear layers is one linear layer, y = x W + b.

W and b are found from the logits of one image a pixel and a black one.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from service.domain.network import layers
from service.domain.results import LinearCollapse
from service.domain.spec import ExperimentSpec
from worker.training.evaluation import CHUNKS
from worker.training.model import Network
from worker.training.randomness import Streams
from worker.training.state import Weights


def may_collapse(spec: ExperimentSpec) -> bool:
    """Return whether every layer is linear: hidden layers with the identity as activation, and pooling by means."""
    hidden = [layer for layer in layers(spec) if layer.kind != "head"]
    is_activated = bool(hidden) and spec.activation.recognised.name != "linear"
    return not is_activated and (spec.model.pool == "avg" or not any(layer.pooled for layer in hidden))


@torch.no_grad()
def linear_collapse(
    spec: ExperimentSpec, weights: Weights, images: Tensor, after_chunk: Callable[[], None] = lambda: None
) -> LinearCollapse:
    """Compare the network's logits of `images`, uint8 (n, channels, height, width), with those of x W + b.

    W and b come from the logits of a black image and of one white pixel at a time. The network is in evaluation mode
    and float64, on the device of the images. `after_chunk` is called after each chunk of images.
    """
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
