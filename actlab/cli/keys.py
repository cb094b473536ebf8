"""`actlab keys`: the API keys in the database of this machine's settings."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from actlab.cli.common import require_database
from service.access import keys as api_keys
from service.access.principals import CONSOLE
from service.access.roles import Role
from service.domain.errors import KeyNotFound, NameTaken
from service.settings import load
from service.storage.engine.database import open_database
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.records import audit, keys
from service.storage.records.audit import Sender

T = TypeVar("T")

app = typer.Typer(help="API keys: create, list, revoke.", no_args_is_help=True)


def _lifetime(text: str | None) -> timedelta | None:
    if text is None:
        return None
    if re.fullmatch(api_keys.LIFETIME, text) is None:
        raise typer.BadParameter(f"{text!r}: write it as 90d, 12h or 4w", param_hint="--expires")
    return api_keys.lifetime(text)


@app.command("create")
def create_key(
    role: Annotated[Role, typer.Option(help="viewer reads, submitter changes, admin makes keys.")],
    name: Annotated[str, typer.Option(help="What it is for, such as ci.")],
    expires: Annotated[str | None, typer.Option(help="Its lifetime, such as 90d, 12h or 4w. Default: no end.")] = None,
) -> None:
    """Make a key and print it. It is shown only now; the database holds its hash."""
    if not 1 <= len(name) <= api_keys.LONGEST_KEY_NAME or not name.isprintable():
        raise typer.BadParameter(f"1 to {api_keys.LONGEST_KEY_NAME} printable characters", param_hint="--name")
    key, lifetime = api_keys.generate(), _lifetime(expires)

    def create(session: UnitOfWork) -> bool:
        if keys.create(session, CONSOLE.id, key, name, role, lifetime) is None:
            return False
        audit.record(session, Sender(CONSOLE, "create_key"), {"key": key.id, "name": name, "role": role})
        return True

    if not _run("create_key", create):
        raise NameTaken(f"A key {name!r} exists. Revoke it, or choose another name.")
    Console(stderr=True).print(f"The key {key.id} ({name}, {role}), which is not shown again:", markup=False)
    typer.echo(key.text)


@app.command("list")
def list_keys(revoked: Annotated[bool, typer.Option("--revoked", help="Include revoked keys.")] = False) -> None:
    """List the keys, the newest first."""
    table = Table("id", "name", "role", "created", "expires", "last used", "revoked", box=None)
    for row in _run("list_keys", lambda session: keys.listed(session, revoked=revoked)):
        times = (row.created_at, row.expires_at, row.last_used_at, row.revoked_at)
        table.add_row(
            row.id, escape(row.name), row.role, *("" if at is None else f"{at:%Y-%m-%d %H:%M}" for at in times)
        )
    Console(soft_wrap=True).print(table)


@app.command("revoke")
def revoke_key(key: Annotated[str, typer.Argument(metavar="ID|NAME", help="The id or the name of the key.")]) -> None:
    """Revoke a key for ever. Running services refuse it within a second."""

    def revoke(session: UnitOfWork) -> str | None:
        row = keys.find_named(session, key)
        if row is None or not keys.revoke(session, row.id):
            return None
        audit.record(session, Sender(CONSOLE, "revoke_key"), {"key": row.id, "name": row.name})
        return row.id

    id = _run("revoke_key", revoke)
    if id is None:
        raise KeyNotFound(f"There is no key {key!r}, or it is revoked.")
    Console().print(f"The key {id} is revoked.")


def _run(name: str, work: Callable[[UnitOfWork], T]) -> T:
    settings = load()
    require_database(settings)
    database = open_database(settings)
    try:
        return database.run(name, work)
    finally:
        database.close()
