"""The roles of API keys, and the role that each route needs."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class Role(StrEnum):
    """The roles, from the least to the most; each may do what those before it may."""

    VIEWER = "viewer"
    """Reads everything but keys and the audit."""
    SUBMITTER = "submitter"
    """Submits, edits, cancels and deletes."""
    ADMIN = "admin"
    """Makes and revokes keys, and reads the audit."""

    def may(self, needed: "Role") -> bool:
        """Return whether this role includes another."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


PUBLIC = None
"""The value in place of a role for a route that needs no key."""


def needs(role: Role | None, *, dry_run: Role | None = None) -> Callable[[F], F]:
    """Declare the role that a route's function needs; PUBLIC for none. `dry_run` is the role of its dry runs.

    The role never follows from the method: reads by POST need a viewer alone.
    """

    def declare(function: F) -> F:
        function.role, function.dry_run_role = role, dry_run  # type: ignore[attr-defined]  # functions take any
        return function

    return declare
