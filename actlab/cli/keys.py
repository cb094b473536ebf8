"""`actlab keys`: the API keys in the database of this machine's settings."""

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from actlab.cli.common import extra, require_database
from actlab.cli.options import AsJson
from actlab.cli.output import say, show, write_json
from service.access import keys as api_keys
from service.access.roles import Role

if TYPE_CHECKING:
    from service.settings import Settings

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
    json: AsJson = False,
) -> None:
    """Make a key and print it. It is shown only now; the database holds its hash."""
    if not 1 <= len(name) <= api_keys.LONGEST_KEY_NAME or not name.isprintable():
        raise typer.BadParameter(f"1 to {api_keys.LONGEST_KEY_NAME} printable characters", param_hint="--name")
    lifetime = _lifetime(expires)
    with extra("server"):
        from actlab import local_keys
        from service.api.schemas.keys import KeyView, NewKeyView

    row, text = local_keys.create(_settings(), name, role, lifetime)
    say(f"The key {row.id} ({name}, {role}), which is not shown again:")
    if json:
        view = KeyView.model_validate(row)
        write_json(NewKeyView(**view.model_dump(), key=text).model_dump(mode="json"))
    else:
        typer.echo(text)


@app.command("list")
def list_keys(
    revoked: Annotated[bool, typer.Option("--revoked", help="Include revoked keys.")] = False, json: AsJson = False
) -> None:
    """List the keys, the newest first."""
    with extra("server"):
        from actlab import local_keys
        from service.api.schemas.keys import KeyView

    rows = local_keys.listed(_settings(), revoked=revoked)
    if json:
        write_json({"items": [KeyView.model_validate(row).model_dump(mode="json") for row in rows]})
        return
    table = Table("id", "name", "role", "created", "expires", "last used", "revoked", box=None)
    for row in rows:
        times = (row.created_at, row.expires_at, row.last_used_at, row.revoked_at)
        table.add_row(
            row.id, escape(row.name), row.role, *("" if at is None else f"{at:%Y-%m-%d %H:%M}" for at in times)
        )
    Console(soft_wrap=True).print(table)


@app.command("revoke")
def revoke_key(
    key: Annotated[str, typer.Argument(metavar="ID|NAME", help="The id or the name of the key.")], json: AsJson = False
) -> None:
    """Revoke a key for ever. Running services refuse it within a second."""
    with extra("server"):
        from actlab import local_keys
        from service.api.schemas.keys import KeyView

    row = local_keys.revoke(_settings(), key)
    show(KeyView.model_validate(row).model_dump(mode="json"), f"The key {row.id} is revoked.", as_json=json)


def _settings() -> "Settings":
    """Return the settings of a database whose schema is the one that this version needs."""
    from service.settings import load

    settings = load()
    require_database(settings)
    return settings
