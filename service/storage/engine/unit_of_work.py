"""The unit of work: the session of a writing transaction, with what its process must know after the commit."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

BLIND: dict[str, Any] = {"synchronize_session": False}
"""Options of an UPDATE or DELETE whose effect on rows that the session has read is not needed."""

FRESH: dict[str, Any] = {"populate_existing": True}
"""Options of a query that overwrites rows which the session has read, as after an UPDATE with BLIND."""


class UnitOfWork(Session):
    """The session of a writing transaction.

    `changed` holds the new revision of every experiment and study that the transaction changes, by id. `wakes` is the
    number of workers to wake after the commit, and `keys_changed` says that an API key has changed. `audited` says that
    the audit tells of the transaction, with `details`. `trace` enables the trace of transitions, for tests.
    """

    def __init__(self, *args: Any, trace: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.trace = trace
        self.changed: dict[UUID, int] = {}
        self.wakes = 0
        self.keys_changed = False
        self.audited = True
        self.details: dict[str, Any] = {}

    def note(self, ids: Iterable[UUID], revision: int) -> None:
        """Note that the transaction gives experiments or studies a revision."""
        self.changed.update(dict.fromkeys(ids, revision))
