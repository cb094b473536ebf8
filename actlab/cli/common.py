"""The settings, schema check and error message that commands share."""

import sys
from typing import NoReturn

from rich.console import Console

from service.process import log
from service.settings import Settings, load


def command_settings(insecure: bool = False, port: int | None = None) -> Settings:
    """Load the settings of this command and configure its log. Options of the command come before the environment."""
    settings = load()
    log.configure(settings.log_level)
    options: dict[str, object] = {"insecure": True} if insecure else {}
    return settings.model_copy(update=options if port is None else options | {"port": port})


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
