"""Exceptions that end training without a result, other than those of a callback or of the machine."""


class Diverged(Exception):
    """Raised where the loss became infinite or NaN, first at this step of this epoch (both counted from 1)."""

    def __init__(self, epoch: int, step: int) -> None:
        super().__init__(f"The loss became infinite or NaN in epoch {epoch}, step {step}.")
        self.epoch = epoch
        self.step = step


class TimedOut(Exception):
    """Raised where training took longer than the spec's max_seconds, which are `seconds`."""

    def __init__(self, seconds: float, epoch: int, step: int) -> None:
        super().__init__(f"{seconds:,.0f} s were allowed; they ended in epoch {epoch}, step {step}.")
        self.seconds = seconds
        self.epoch = epoch
        self.step = step


class UnknownSnapshot(Exception):
    """Raised for a snapshot of another version of ActLab, which this one cannot continue."""
