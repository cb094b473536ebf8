"""The settings, schema check and error message that commands share."""

import sys
from contextlib import closing
from typing import NoReturn

from rich.console import Console

from actlab.client import Client
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
    with closing(open_database(settings)) as database:
        migrate.check(database)


def require_access(settings: Settings) -> None:
    """Store the admin key of the settings. Raises ConfigurationError for a service that others reach without any."""
    from service.api import exposure
    from service.storage.engine.database import open_database

    with closing(open_database(settings)) as database:
        exposure.prepare(settings, database)


def service_client(url: str | None = None) -> Client:
    """Return a client of the service at ACTLAB_URL or on this machine, with the key of ACTLAB_API_KEY."""
    settings = load()
    key = None if settings.api_key is None else settings.api_key.get_secret_value()
    return Client(url or settings.url or settings.own_url, api_key=key)


def fail(reason: str) -> NoReturn:
    """Print one line on stderr and exit with status 1."""
    Console(stderr=True).print(f"actlab: {reason}", style="red", highlight=False, soft_wrap=True, markup=False)
    sys.exit(1)
