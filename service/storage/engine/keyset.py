"""Cursors: where a page ended, bound to the filter it was cut from."""

import base64
import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from service.domain.errors import FieldProblem, InvalidCursor


@dataclass(frozen=True)
class Cursor:
    """The last row of a page: the value it was sorted by (None when that is the id) and its id."""

    value: float | None
    id: UUID

    def encode(self, filter: Any, sort: str) -> str:
        parts = [self.value, str(self.id), self._digest(filter, sort)]
        return base64.urlsafe_b64encode(json.dumps(parts).encode()).rstrip(b"=").decode()

    @classmethod
    def decode(cls, text: str, filter: Any, sort: str) -> "Cursor":
        """InvalidCursor for text that this service did not make, or made for another list."""
        try:
            value, id, digest = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            cursor = cls(None if value is None else float(value), UUID(id))
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise _refused("This is not a cursor of this service", text) from error
        if digest != cursor._digest(filter, sort) or (cursor.value is None) != (sort.removeprefix("-") == "id"):
            raise _refused("This cursor was changed, or belongs to a list with another filter or order", text)
        return cursor

    def _digest(self, filter: Any, sort: str) -> str:
        spelled = json.dumps([self.value, str(self.id), asdict(filter), sort], default=str, sort_keys=True)
        return hashlib.sha256(spelled.encode()).hexdigest()[:16]


def _refused(reason: str, text: str) -> InvalidCursor:
    problem = FieldProblem("cursor", reason, "invalid_cursor", text)
    return InvalidCursor(f"{reason}. Start again without `cursor`.", errors=[problem])
