"""Recording when API keys were last used, once a minute and not with each request."""

from service.access.table import KeyTable
from service.storage.engine.database import Database
from service.storage.records import keys

FLUSH_SECONDS = 60.0


def flush(database: Database, table: KeyTable) -> None:
    """Store the last use of each key since the last call."""
    used = table.take_used()
    if used:
        database.run("record_key_use", lambda session: keys.record_use(session, used))
