"""The settings, schema check and error message that commands share."""

import sys
from typing import NoReturn

from rich.console import Console

from service.process import log
from service.settings import Settings, load


def command_settings(insecure: bool = False) -> Settings:
    """Load the settings of this command and configure its log."""
    settings = load()
    log.configure(settings.log_level)
    return settings.model_copy(update={"insecure": True}) if insecure else settings


def require_database(settings: Settings) -> None:
    """Raise SchemaOutdated before anything has started, unless the schema is the one that this version needs."""
    from service.storage import migrate
    from service.storage.engine.database import open_database

    settings.home.mkdir(parents=True, exist_ok=True)
    database = open_database(settings)
    migrate.check(database)
    database.close()


def fail(reason: str) -> NoReturn:
    """Print one line on stderr and exit with status 1."""
    Console(stderr=True).print(f"actlab: {reason}", style="red", highlight=False, soft_wrap=True, markup=False)
    sys.exit(1)
