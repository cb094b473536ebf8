"""Machines as a factor: figures that depend on the machine are not pooled over several."""

from collections.abc import Mapping

from service.domain.comparisons.cells import Factor, Factors

MACHINE = "machine"
"""The factor that groups of times have where experiments ran on several machines."""


def machine_name(device: str | None, device_name: str | None, threads: int | None) -> str | None:
    """Return the name of a kind of machine, such as `Intel Xeon, 2 threads`: the model of its processor or GPU, and the
    CPU threads of an experiment.

    The kind of device, cpu or cuda, stands in for a model that is not known. None where nothing is known.
    """
    name = device_name or device
    if threads is None or name is None:
        return name
    return f"{name}, {threads} thread{'' if threads == 1 else 's'}"


def on_machine(factors: Factors, machine: str | None) -> Factors:
    """Return factors of the runs on one machine; None stands for runs on one kind of machine only."""
    named: Mapping[str, Factor] = {} if machine is None else {MACHINE: machine}
    return {**factors, **named}
