"""The settings, schema check, client and error messages that commands share."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Literal, NoReturn

from rich.console import Console

from actlab import configuration
from actlab.cli.options import service_url
from actlab.client import Client
from actlab.retries import RETRIES

if TYPE_CHECKING:  # a client is installed without the libraries of the settings
    from service.settings import Settings

Extra = Literal["server", "worker"]
OURS = ("actlab", "service", "worker", "migrations")


@contextmanager
def extra(name: Extra) -> Iterator[None]:
    """Enclose the imports of a command that needs an extra; without it, print one line that names it and exit."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] in OURS:
            raise
        fail(f"This command needs the extra `{name}` ({error.name} is missing): pip install 'actlab[{name}]'")


def command_settings(insecure: bool = False, port: int | None = None, *, needs: Extra = "server") -> "Settings":
    """Load the settings of this command and configure its log. Options of the command come before the environment."""
    with extra(needs):
        from service.process import log
        from service.settings import load

    log.configure("info")  # for a warning about a setting
    settings = load()
    log.configure(settings.log_level, settings.log_format)
    options: dict[str, object] = {"insecure": True} if insecure else {}
    return settings.model_copy(update=options if port is None else options | {"port": port})


def require_database(settings: "Settings") -> None:
    """Raise SchemaOutdated before anything has started, unless the schema is the one that this version needs."""
    from service.storage import migrate
    from service.storage.engine.database import open_database

    settings.home.mkdir(parents=True, exist_ok=True)
    with closing(open_database(settings)) as database:
        migrate.check(database)


def require_access(settings: "Settings") -> None:
    """Store the admin key of the settings. Raises ConfigurationError for a service that others reach without any."""
    from service.api import exposure
    from service.storage.engine.database import open_database

    with closing(open_database(settings)) as database:
        exposure.prepare(settings, database)


def service_client(url: str | None = None, *, timeout: float = 40.0, retries: int = RETRIES) -> Client:
    """Return a client of the service at `url` or `--url`, or at the one that `actlab.configuration` finds, with its
    key. `timeout` is in seconds; a request is repeated up to `retries` times."""
    service = configuration.resolve(url or service_url())
    return Client(service.url, api_key=service.api_key, timeout=timeout, retries=retries)


def fail(reason: str) -> NoReturn:
    """Print one line on stderr and exit with status 1."""
    Console(stderr=True).print(f"actlab: {reason}", style="red", highlight=False, soft_wrap=True, markup=False)
    sys.exit(1)
