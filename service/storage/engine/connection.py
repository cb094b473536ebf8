"""A PostgreSQL connection with a limit on the time that an answer takes."""

from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

POLL_SECONDS = 0.1  # the default of psycopg
MARGIN_SECONDS = 3.0
"""The time that the server's own statement timeout may take to arrive."""


class TimeLimitedConnection(psycopg.Connection[Any]):
    """A connection that raises OperationalError where no answer comes within `answer_seconds`. None sets no limit.

    tcp_user_timeout detects packets that nobody acknowledges. It does not detect a proxy, a tunnel or a frozen server
    whose kernel acknowledges packets and which never answers.
    """

    answer_seconds: float | None = None

    def wait(self, gen: Any, interval: float = POLL_SECONDS, timeout: float | None = None) -> Any:
        try:
            return super().wait(gen, interval, self.answer_seconds if timeout is None else timeout)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.close()  # or a late answer could be read as that of the next statement
            raise
