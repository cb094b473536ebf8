"""The decision who sends a request, and whether it may pass to the routes."""

import asyncio
import re
from collections.abc import Sequence

from anyio import to_thread
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.types import Message, Scope

from service.access.principals import ANONYMOUS, LOCAL, Principal
from service.access.table import KeyTable
from service.api.http.credentials import key_of
from service.domain.errors import DatabaseUnavailable, Unauthorized

SIGN_IN = "Send an API key as `Authorization: Bearer KEY`, or sign in on the pages with it."


class Gate:
    """The access decision of one API process.

    Without any key access is open, and everybody is LOCAL. With keys, a request needs one, except for the paths that
    match `public`.
    """

    def __init__(self, table: KeyTable, public: Sequence[re.Pattern[str]], *, insecure: bool) -> None:
        self.table = table
        self._public = public
        self._insecure = insecure
        self._refreshing: asyncio.Task[None] | None = None

    async def principal(self, scope: Scope, path: str) -> Principal:
        """Return who sends a request. Raises Unauthorized where it may not pass, and DatabaseUnavailable where that
        cannot be decided."""
        if not self.table.fresh and not self._is_public(path):
            await self._refresh()
        return self._open(scope) if self.table.empty else self._with_key(scope, path)

    def holds(self, principal: Principal, message: Message) -> bool:
        """Return whether a part of the answer to a request may still be sent."""
        if principal is LOCAL:
            return self.table.empty or not message.get("more_body", False)
        return principal is ANONYMOUS or self.table.holds(principal)

    def _open(self, scope: Scope) -> Principal:
        """Refuse requests that came through a proxy, unless the server is started with --insecure. Open access is for
        this machine alone, and a proxy in front would extend it to everybody."""
        if not self._insecure:
            for name, _ in scope["headers"]:
                if name == b"forwarded" or name.startswith(b"x-forwarded-"):
                    raise Unauthorized(
                        f"The request came through a proxy ({name.decode('latin-1')}) to a server without API keys."
                        " Remove the proxy, make a key with `actlab keys create`, or start the server with --insecure"
                        " if the proxy authenticates its users."
                    )
        return LOCAL

    def _with_key(self, scope: Scope, path: str) -> Principal:
        try:
            return self._keyed(scope)
        except Unauthorized:
            if self._is_public(path):
                return ANONYMOUS
            raise

    def _keyed(self, scope: Scope) -> Principal:
        key = key_of(scope)
        if key is None:
            raise Unauthorized(f"This service needs an API key. {SIGN_IN}")
        return self.table.principal(key)

    def _is_public(self, path: str) -> bool:
        return any(pattern.match(path) for pattern in self._public)

    async def _refresh(self) -> None:
        """Read the keys, once for all requests that wait for it."""
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(to_thread.run_sync(self.table.refresh))
        try:
            await asyncio.shield(self._refreshing)
        except (DBAPIError, PoolTimeout) as error:
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise DatabaseUnavailable(
                f"The database does not answer ({reason}), and the keys are not known. Try again.", Retry_After="5"
            ) from error
