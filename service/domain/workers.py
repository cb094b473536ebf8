"""The report of a worker about the machine it runs on."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class WorkerMemory(BaseModel):
    """The memory that a worker's device computes in, in bytes; None where it is not known.

    On a CPU, `total` is the machine's memory and `used` what the worker's process has resident. On a GPU, `total` is
    the device's memory and `used` what all processes have allocated on it.
    """

    model_config = ConfigDict(frozen=True)

    total: int | None = None
    used: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _translate_first_release(cls, stored: Any) -> Any:
        """Read the keys that workers of version 0.1.0 report: `process`, `machine_total`, `device_free` and
        `device_total`. Their rows, and such workers beside a newer API, are met during an upgrade."""
        if not isinstance(stored, dict) or "machine_total" not in stored:
            return stored
        free, total = stored.get("device_free"), stored.get("device_total")
        if free is not None and total is not None:
            return {"total": total, "used": total - free}
        return {"total": stored["machine_total"], "used": stored.get("process")}
