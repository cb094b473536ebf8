"""Refusals: properties of a set of experiments that rule out the comparison, curves or judgement asked for.

Each states its reason from what was found in the set. The API adds the parameter that each is about.
"""

from collections.abc import Collection, Mapping
from typing import ClassVar


class Refusal(Exception):
    """The base of all refusals. `reason` names the cause and the remedy; `value` is the value that is refused."""

    code: ClassVar[str]

    def __init__(self, reason: str, value: object = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.value = value


class Confounded(Refusal):
    """The specs differ in fields that are not grouped by."""

    code = "confounded"

    def __init__(self, fields: Collection[str]) -> None:
        names = ", ".join(fields)
        super().__init__(f"The experiments differ in {names} too; add that to group_by, or narrow the filter")


class MixedMachines(Refusal):
    """The experiments ran on kinds of device, in precisions or with versions that no group may pool.

    `kinds` holds the values found, by `device`, `precision` or `code`. `poolable` is whether allow_mixed=true would
    pool them.
    """

    code = "mixed_machines"

    def __init__(self, kinds: Mapping[str, Collection[str]], *, poolable: bool) -> None:
        mixed = " and ".join(f"{name} ({', '.join(sorted(values))})" for name, values in kinds.items())
        remedy = "narrow the filter, or say allow_mixed=true" if poolable else "narrow the filter"
        super().__init__(f"The experiments differ in {mixed}, which no group may pool; {remedy}")


class TooManyTraces(Refusal):
    """The curves would be drawn of more experiments or epochs than one answer reads."""

    code = "too_many"

    def __init__(self, experiments: int, epochs: int, most_experiments: int, most_epochs: int) -> None:
        super().__init__(
            f"These are {experiments:,} experiments with {epochs:,} epochs; curves are drawn of {most_experiments:,}"
            f" and {most_epochs:,} at most, so narrow the filter"
        )


class TooManyObservations(Refusal):
    """A study holds more experiments than article claims are decided over."""

    code = "too_many"

    def __init__(self, most: int, study: object) -> None:
        reason = f"The study holds more than {most:,} experiments, the most that claims are decided over"
        super().__init__(reason, str(study))


class TooManyResults(Refusal):
    """Two groups hold more results than one answer reads the test images of."""

    code = "too_many"

    def __init__(self, most: int) -> None:
        super().__init__(f"Groups of more than {most} results together are too many; narrow the filter")


class OtherImages(Refusal):
    """Two groups were not scored on the same test images, because they differ in the factor at `path`."""

    code = "other_images"

    def __init__(self, path: str, value: object) -> None:
        super().__init__(f"The groups differ in {path}, so that they were not scored on the same images", value)


class UnknownGroup(Refusal):
    """No experiment is in the group. `side` is `a` or `b`."""

    code = "unknown_group"

    def __init__(self, side: str, group: Mapping[str, object]) -> None:
        super().__init__(f"There is no group {dict(group)} among these experiments", dict(group))
        self.side = side
