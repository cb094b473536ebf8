"""`actlab login`: the URL and the API key of a service in the configuration file."""

from typing import Annotated

import typer

from actlab import configuration
from actlab.cli.options import service_url
from actlab.cli.output import say
from actlab.client import Client


def login(
    url: Annotated[str | None, typer.Option(help="The URL of the service. Default: ask for it.")] = None,
) -> None:
    """Ask for the URL of a service and an API key, check both, and store them for later commands and clients."""
    url = url or service_url() or typer.prompt("URL of the service", default=configuration.resolve().url)
    key = typer.prompt("API key (empty for a service without keys)", default="", hide_input=True, show_default=False)
    with Client(configuration.resolve(url).url, api_key=key.strip() or None, timeout=10.0) as client:
        me = client.me()
    stored = configuration.Stored(url, None if me["open"] else key.strip() or None)
    file = configuration.write(stored)
    if me["open"]:
        say(f"The service has no keys and lets everybody in. Its URL is stored in {file}.")
    else:
        ends = "has no end" if me["expires_at"] is None else f"ends at {me['expires_at']}"
        say(f"Signed in as {me['name']} ({me['role']}); the key {ends}. Both are stored in {file}.")
