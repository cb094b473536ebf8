"""The device, precision and threads that an experiment runs with: resolved once, stored, and used again by a resume."""

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, model_validator
from torch.amp.autocast_mode import autocast

from service.domain.results import Fingerprint
from service.domain.spec import ExperimentSpec
from worker.training.processors import usable_processors

Device = Literal["cpu", "cuda"]


class Execution(BaseModel):
    """The settings of an execution as plain values: the first attempt stores `model_dump()`, later ones validate it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    device: Device
    precision: Literal["float32", "bfloat16"]
    threads: int
    torch: str

    @model_validator(mode="before")
    @classmethod
    def _drop_form(cls, stored: Any) -> Any:
        """Accept rows of version 0.1.0, which store a `form` that is always "single"."""
        return {name: value for name, value in stored.items() if name != "form"} if isinstance(stored, dict) else stored

    @classmethod
    def resolve(cls, spec: ExperimentSpec, *, device: Device | None = None, threads: int | None = None) -> Self:
        """Choose the settings of this machine: CUDA where it is available, `default_threads`, and for the precision
        `auto` bfloat16 where the hardware computes in it."""
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        auto: Literal["float32", "bfloat16"] = "bfloat16" if _computes_bfloat16(device) else "float32"
        return cls(
            device=device,
            precision=auto if spec.precision == "auto" else spec.precision,
            threads=threads or default_threads(),
            torch=torch.__version__,
        )

    def continued_here(self) -> Self:
        """Return the settings of a resume on this machine: the CPU in place of a GPU that it lacks, and its PyTorch."""
        device = self.device if self.device == "cpu" or torch.cuda.is_available() else "cpu"
        return self.model_copy(update={"device": device, "torch": torch.__version__})

    def prepare(self) -> None:
        """Set up this process: thread count, deterministic algorithms, full float32 products."""
        # cuBLAS reads it when its first handle is made, which no import does.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.set_num_threads(self.threads)
        torch.use_deterministic_algorithms(True)
        # Nothing reads such memory, and filling it costs time.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # is a property
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.conv.fp32_precision = "ieee"  # type: ignore[attr-defined]  # made at run time
        torch.backends.cuda.matmul.fp32_precision = "ieee"

    def autocast(self) -> autocast:
        """Return the context manager of a training step's forward pass."""
        return autocast(self.device, torch.bfloat16, enabled=self.precision == "bfloat16")

    def fingerprint(self) -> Fingerprint:
        cuda = self.device == "cuda"
        return Fingerprint(
            torch=self.torch,
            numpy=np.__version__,
            device=self.device,
            device_name=torch.cuda.get_device_name() if cuda else _processor(),
            instruction_set="sm_{}{}".format(*torch.cuda.get_device_capability()) if cuda else _instruction_set(),
            threads=self.threads,
            precision=self.precision,
            code=version("actlab"),
        )


def default_threads() -> int:
    """Return PyTorch's own number of threads, which follows OMP_NUM_THREADS, or the processors that this process may
    use where those are fewer: in a container limited to one CPU, threads for all cores of the host halt each other."""
    return min(torch.get_num_threads(), usable_processors())


def _computes_bfloat16(device: Device) -> bool:
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return _amx() or _avx512_bfloat16()


# The public torch.cpu.get_capabilities is younger than the oldest PyTorch that ActLab supports, 2.11.
def _amx() -> bool:
    return torch.cpu._is_amx_tile_supported()


def _avx512_bfloat16() -> bool:
    return torch.cpu._is_avx512_bf16_supported()


def _instruction_set() -> str:
    extras = {"AVX512-BF16": _avx512_bfloat16(), "AMX": _amx()}
    return " ".join([torch.backends.cpu.get_cpu_capability(), *(name for name, there in extras.items() if there)])


def _processor() -> str:
    """Return the model of the processor, or its architecture where the system does not name the model."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
