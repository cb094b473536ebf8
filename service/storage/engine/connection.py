"""A PostgreSQL connection that does not wait for ever."""

from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

LOOK_SECONDS = 0.1  # psycopg's own
MARGIN_SECONDS = 3.0
"""What the server's own answer that a statement took too long may take to arrive."""


class TimeLimitedConnection(psycopg.Connection[Any]):
    """Gives up, as an OperationalError, where no answer comes within `answer_seconds` (None: waits for ever).

    tcp_user_timeout notices packets that nobody acknowledges. It does not notice a proxy, a tunnel or a frozen server
    whose kernel acknowledges them and which never answers.
    """

    answer_seconds: float | None = None

    def wait(self, gen: Any, interval: float = LOOK_SECONDS, timeout: float | None = None) -> Any:
        try:
            return super().wait(gen, interval, self.answer_seconds if timeout is None else timeout)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.close()  # a late answer must not be taken for that of another statement
            raise
