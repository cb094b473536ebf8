"""The check at the start: a service has an API key, or nobody else can reach it."""

from service.settings import Settings
from service.storage.engine.database import Database
from service.storage.records import keys
from service.usecases import admin_keys


def prepare(settings: Settings, database: Database) -> None:
    """Store the admin key of the settings. Raises ConfigurationError for an exposed service without keys."""
    text = settings.admin_key_text()
    if text is not None:
        database.run("admin_key", lambda session: admin_keys.store(session, text))
    with database.read() as session:
        settings.check_exposure(keys=keys.exist(session))
