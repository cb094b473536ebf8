"""The choice of the device that a worker trains on, and the check that it can be used."""

import platform

import structlog
import torch

from service.domain.errors import ConfigurationError
from service.settings import Settings
from worker.training.execution import Device

log = structlog.get_logger(__name__)


class UnusableDevice(ConfigurationError):
    """The device that ACTLAB_DEVICE names cannot be used on this machine."""


def choose(settings: Settings) -> tuple[Device, str]:
    """Return the device of this process and its name. `auto` is CUDA where it can be used. Raises UnusableDevice."""
    if settings.device == "cuda":
        return "cuda", _cuda_name()
    if settings.device == "auto" and torch.cuda.is_available():
        try:
            return "cuda", _cuda_name()
        except UnusableDevice as error:
            log.warning("trains_on_cpu", reason=error.detail)
    return "cpu", platform.machine()


def _cuda_name() -> str:
    """Return the name of the GPU, after making PyTorch's context on it. Raises UnusableDevice."""
    try:
        torch.cuda.mem_get_info()
        return torch.cuda.get_device_name()
    except (AssertionError, RuntimeError) as error:  # a build without CUDA; no driver, no device, or a failing one
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise UnusableDevice(
            f"CUDA (ACTLAB_DEVICE=cuda) cannot be used on {platform.node()}: {lines[0].rstrip('.')} (PyTorch"
            f" {torch.__version__}). Set ACTLAB_DEVICE to cpu or auto, or install PyTorch with CUDA and the driver, and"
            " look at CUDA_VISIBLE_DEVICES."
        ) from error
