"""What an experiment runs with: device, precision, threads. Resolved once, stored, and used again by a resume."""

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Literal, Self

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch.amp.autocast_mode import autocast

from service.domain.results import Fingerprint
from service.domain.spec import ExperimentSpec

Device = Literal["cpu", "cuda"]


class Execution(BaseModel):
    """Plain values, so that the first claim can store `model_dump()` and a later attempt validate it back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    device: Device
    precision: Literal["float32", "bfloat16"]
    threads: int
    form: Literal["single"] = "single"
    torch: str

    @classmethod
    def resolve(cls, spec: ExperimentSpec, *, device: Device | None = None, threads: int | None = None) -> Self:
        """What this machine would use: CUDA where there is some, as many threads as PyTorch has, and for `auto`
        bfloat16 where the hardware computes in it."""
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        auto: Literal["float32", "bfloat16"] = "bfloat16" if _computes_bfloat16(device) else "float32"
        return cls(
            device=device,
            precision=auto if spec.precision == "auto" else spec.precision,
            threads=threads or torch.get_num_threads(),
            torch=torch.__version__,
        )

    def continued_here(self) -> Self:
        """What a resume on this machine uses: the same, except for what this machine has not got."""
        device = self.device if self.device == "cpu" or torch.cuda.is_available() else "cpu"
        return self.model_copy(update={"device": device, "torch": torch.__version__})

    def prepare(self) -> None:
        """Sets this process up: thread count, deterministic algorithms, full float32 products."""
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
        """The context of a training step's forward pass."""
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
            execution=self.form,
            code=version("actlab"),
        )


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
    """The processor's model; its architecture where the system does not tell."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
