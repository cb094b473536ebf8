"""Reasons why a set of experiments cannot be compared, drawn or judged. The API says which parameter each is about."""

from typing import ClassVar


class Refusal(Exception):
    """The set of experiments does not allow the answer that was asked for. `reason` names the cause and the remedy."""

    code: ClassVar[str]

    def __init__(self, reason: str, value: object = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.value = value


class Confounded(Refusal):
    """The specs differ in fields that are not grouped by."""

    code = "confounded"


class MixedMachines(Refusal):
    """The experiments ran on kinds of device, in precisions or with versions that no group may pool."""

    code = "mixed_machines"


class TooManyTraces(Refusal):
    """The curves would be drawn of more experiments or epochs than one answer reads."""

    code = "too_many"


class TooManyObservations(Refusal):
    """A study holds more experiments than article claims are decided over."""

    code = "too_many"


class TooManyResults(Refusal):
    """Two groups hold more results than one answer reads the test images of."""

    code = "too_many"


class OtherImages(Refusal):
    """Two groups were not scored on the same test images."""

    code = "other_images"


class UnknownGroup(Refusal):
    """No experiment is in the group. `side` is `a` or `b`."""

    code = "unknown_group"

    def __init__(self, reason: str, side: str, value: object) -> None:
        super().__init__(reason, value)
        self.side = side
