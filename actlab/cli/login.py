"""`actlab login`: the URL and the API key of a service in the configuration file."""

from typing import Annotated

import typer

from actlab import configuration
from actlab.cli.options import service_url
from actlab.cli.output import say
from actlab.client import Client

SECONDS = 10.0
"""The most seconds to wait for the service."""


def login(
    url: Annotated[str | None, typer.Option(help="The URL of the service. Default: ask for it.")] = None,
) -> None:
    """Ask for the URL of a service and an API key, check both, and store them for later commands and clients."""
    url = url or service_url() or typer.prompt("URL of the service", default=configuration.resolve().url)
    typed = typer.prompt("API key (empty: the stored one, or none)", default="", hide_input=True, show_default=False)
    service = configuration.resolve(url, typed.strip() or None)
    with Client(service.url, api_key=service.api_key, timeout=SECONDS) as client:
        me = client.me()
    file = configuration.write(configuration.Stored(service.url, None if me["open"] else service.api_key))
    if me["open"]:
        say(f"The service has no keys and lets everybody in. Its URL is stored in {file}.")
    else:
        ends = "has no end" if me["expires_at"] is None else f"ends at {me['expires_at']}"
        say(f"Signed in as {me['name']} ({me['role']}); the key {ends}. Both are stored in {file}.")
