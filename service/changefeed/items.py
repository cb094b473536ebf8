"""One thing to tell those who listen."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from service.storage.changes.deltas import Scope

Kind = Literal["experiment", "metrics", "study", "deleted", "reset"]
ORDER: tuple[Kind, ...] = ("experiment", "metrics", "study", "deleted", "reset")
"""Of the items of one revision."""
ALWAYS: frozenset[Kind] = frozenset({"deleted", "reset"})
"""Told to whatever kinds a client has asked for."""


@dataclass(frozen=True)
class Item:
    """One event, its data encoded once for everybody; `experiment` and `study` say whom it is about, `compact` leaves
    out what never changes."""

    kind: Kind
    experiment: UUID | None
    study: UUID | None
    revision: int
    data: str
    compact: str

    @property
    def place(self) -> tuple[int, int]:
        """In this order: whoever has seen one revision whole has missed nothing before it."""
        return self.revision, ORDER.index(self.kind)

    def is_for(self, scope: Scope, kinds: frozenset[Kind]) -> bool:
        wanted = not kinds or self.kind in kinds or self.kind in ALWAYS
        return wanted and (self.kind == "reset" or scope.holds(self.experiment, self.study))
