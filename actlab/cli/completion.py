"""Ids and names that the shell completes: what the service lists, or nothing where it does not answer at once."""

from collections.abc import Callable, Iterator

import httpx2
import typer

from actlab.cli.common import service_client
from actlab.client import ApiError, Client, UnusableProxy

SECONDS = 0.4
"""The most seconds of a connection and of an answer, so that a shell waits for less than a second."""
MOST = 100

Items = Iterator[tuple[str, str]]


def experiments(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the newest experiments, each as its id and a description."""
    return _matching(ctx, incomplete, _experiments)


def studies(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the newest studies, each as its id and its name."""
    return _matching(ctx, incomplete, _studies)


def records(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the newest studies and experiments."""
    return _matching(ctx, incomplete, lambda client: iter([*_studies(client), *_experiments(client)]))


def activations(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the names of the catalogue and of registered formulas."""
    return _matching(ctx, incomplete, _activations)


def _experiments(client: Client) -> Items:
    for experiment in client.experiments_page(limit=MOST)["items"]:
        yield experiment["id"], f"{experiment['activation_label']}, {experiment['status']}"


def _studies(client: Client) -> Items:
    for study in client.studies_page(limit=MOST)["items"]:
        yield study["id"], study["name"] or study["question"] or "without a name"


def _activations(client: Client) -> Items:
    for activation in client.activations():
        yield activation["name"], activation["formula"]


def _matching(ctx: typer.Context, incomplete: str, read: Callable[[Client], Items]) -> list[tuple[str, str]]:
    try:
        with service_client(ctx.find_root().params.get("url"), timeout=SECONDS, retries=0) as client:
            return [(value, help) for value, help in read(client) if value.startswith(incomplete)]
    except (ApiError, UnusableProxy, httpx2.HTTPError, httpx2.InvalidURL, ValueError, OSError):
        return []  # a shell that completes shows no errors
