"""Keyset pages: each begins after the last row of the page before, so that no page costs more than the first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

T = TypeVar("T")


@dataclass(frozen=True)
class Position:
    """The position of a page's last row: the value it is sorted by, None where that is the id, and its id."""

    value: float | None
    id: UUID


@dataclass(frozen=True)
class Page(Generic[T]):
    """The rows of a page, and the position after which the next page begins; None on the last page."""

    items: Sequence[T]
    next: Position | None


def page_of(rows: Sequence[T], limit: int, position: Callable[[T], Position]) -> Page[T]:
    """Return a page of rows that were read with a limit of one more, which tells whether another page follows."""
    if len(rows) <= limit:
        return Page(rows, None)
    return Page(rows[:limit], position(rows[limit - 1]))
