"""Keyset pages: each begins after the last row of the page before, so that its cost does not grow with its number."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

T = TypeVar("T")


@dataclass(frozen=True)
class Position:
    """The last row of a page: the value it was sorted by (None when that is the id) and its id."""

    value: float | None
    id: UUID


@dataclass(frozen=True)
class Page(Generic[T]):
    """Rows of one page; `next` is where the next page begins, None on the last one."""

    items: Sequence[T]
    next: Position | None


def page_of(rows: Sequence[T], limit: int, position: Callable[[T], Position]) -> Page[T]:
    """Cut a page from rows that were read with a limit one higher, which says whether another page follows."""
    if len(rows) <= limit:
        return Page(rows, None)
    return Page(rows[:limit], position(rows[limit - 1]))
