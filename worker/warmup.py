"""The work of a process's first training, done before the worker says that it is ready."""

import torch

from worker.training.execution import Device


def warm_up(device: Device) -> None:
    """Make the first step of an optimizer, for which PyTorch imports torch._dynamo and sympy.

    It takes seconds, in which an experiment would be claimed and not be trained. No random number is drawn.
    """
    weight = torch.zeros(1, device=device, requires_grad=True)
    optimizer = torch.optim.Adam([weight], fused=True)
    weight.grad = torch.zeros_like(weight)
    optimizer.step()
    optimizer.zero_grad()
