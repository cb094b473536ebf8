"""The items of the feed: events that listeners receive."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from service.storage.changes.deltas import Scope

Kind = Literal["experiment", "metrics", "study", "deleted", "reset"]
ORDER: tuple[Kind, ...] = ("experiment", "metrics", "study", "deleted", "reset")
"""The order of the items of one revision."""
ALWAYS: frozenset[Kind] = frozenset({"deleted", "reset"})
"""Kinds that every listener receives, whichever kinds it asked for."""


@dataclass(frozen=True)
class Item:
    """An event about an experiment or a study, with its data encoded once for all listeners.

    `compact` is the data without the fields that never change.
    """

    kind: Kind
    experiment: UUID | None
    study: UUID | None
    revision: int
    data: str
    compact: str

    @property
    def place(self) -> tuple[int, int]:
        """The sort key. A listener that has received all items of a revision has missed nothing before it."""
        return self.revision, ORDER.index(self.kind)

    def is_for(self, scope: Scope, kinds: frozenset[Kind]) -> bool:
        is_selected = not kinds or self.kind in kinds or self.kind in ALWAYS
        return is_selected and (self.kind == "reset" or scope.holds(self.experiment, self.study))
