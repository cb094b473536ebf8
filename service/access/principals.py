"""Principals: who sends a request."""

from dataclasses import dataclass
from datetime import datetime

from service.access.roles import Role


@dataclass(frozen=True)
class Principal:
    """The sender of a request. `id` is the id of its key; `role` is None for a sender who may see what is public."""

    id: str
    name: str
    role: Role | None
    expires_at: datetime | None = None


LOCAL = Principal("local", "local", Role.ADMIN)
"""Everybody, while there are no keys."""
ANONYMOUS = Principal("anonymous", "anonymous", None)
"""A sender without a valid key."""
CONSOLE = Principal("console", "console", Role.ADMIN)
"""The `actlab` command, where it changes the database itself."""
