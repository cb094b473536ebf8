"""Cursors of paged lists: a position as text, bound to the filter and the order of its list."""

import base64
import hashlib
import json
from dataclasses import asdict
from typing import Any
from uuid import UUID

from service.domain.errors import FieldProblem, InvalidCursor
from service.storage.engine.keyset import Page, Position


def position_after(cursor: str | None, filter: Any, sort: str) -> Position | None:
    """Return the position that a cursor stands for; None without a cursor.

    Raises InvalidCursor for text that this service did not make, or that it made for another list.
    """
    if cursor is None:
        return None
    try:
        value, id, digest = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        position = Position(None if value is None else float(value), UUID(id))
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise _refused("This is not a cursor of this service", cursor) from error
    if digest != _digest(position, filter, sort) or (position.value is None) != (sort.removeprefix("-") == "id"):
        raise _refused("This cursor was changed, or belongs to a list with another filter or order", cursor)
    return position


def next_cursor(page: Page[Any], filter: Any, sort: str) -> str | None:
    """Return the cursor of the page that follows; None on the last one."""
    if page.next is None:
        return None
    parts = [page.next.value, str(page.next.id), _digest(page.next, filter, sort)]
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).rstrip(b"=").decode()


def _digest(position: Position, filter: Any, sort: str) -> str:
    parts = json.dumps([position.value, str(position.id), asdict(filter), sort], default=str, sort_keys=True)
    return hashlib.sha256(parts.encode()).hexdigest()[:16]


def _refused(reason: str, cursor: str) -> InvalidCursor:
    problem = FieldProblem("cursor", reason, "invalid_cursor", cursor)
    return InvalidCursor(f"{reason}. Start again without `cursor`.", errors=[problem])
