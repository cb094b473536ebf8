"""`actlab db`: the schema of the database, and backups."""

from pathlib import Path
from typing import Annotated

import typer

from actlab.cli.common import command_settings, require_database
from actlab.cli.options import AsJson
from actlab.cli.output import show

app = typer.Typer(help="The schema of the database, and backups.", no_args_is_help=True)


@app.command("upgrade")
def upgrade_database(json: AsJson = False) -> None:
    """Upgrade the schema to the newest revision. On SQLite, a backup is made beside the file first."""
    settings = command_settings()
    from service.storage import migrate
    from service.storage.engine.database import open_database

    settings.home.mkdir(parents=True, exist_ok=True)
    database = open_database(settings)
    migrate.upgrade(database)
    revision = migrate.current(database)
    show({"revision": revision}, f"The database is at revision {revision}.", as_json=json)


@app.command("check")
def check_database(json: AsJson = False) -> None:
    """Check that the schema is the one that this version needs."""
    settings = command_settings()
    require_database(settings)
    from service.storage import migrate
    from service.storage.engine.database import open_database

    show({"revision": migrate.current(open_database(settings))}, "The database is up to date.", as_json=json)


@app.command("backup")
def back_up_database(
    file: Annotated[Path, typer.Argument(help="A file that does not exist yet.")], json: AsJson = False
) -> None:
    """Copy the SQLite database consistently while the service runs. For PostgreSQL, use pg_dump."""
    settings = command_settings()
    from service.storage import migrate
    from service.storage.engine.database import open_database

    migrate.back_up(open_database(settings), file)
    show({"file": str(file)}, f"The database is copied to {file}.", as_json=json)


@app.command("restore")
def restore_database(
    file: Annotated[Path, typer.Argument(help="A file that `actlab db backup` has made.")],
    force: Annotated[bool, typer.Option(help="Replace a database that is not empty; it is kept beside.")] = False,
    json: AsJson = False,
) -> None:
    """Put a backup in the place of the SQLite database while nothing runs. For PostgreSQL, use pg_restore."""
    settings = command_settings()
    from service.storage.restore import restore

    kept = restore(settings.database, file, force=force)
    text = f"The database is that of {file}. Run `actlab db upgrade` before the next start."
    if kept is not None:
        text += f" The one before it is kept as {kept}."
    show({"restored": str(file), "kept": None if kept is None else str(kept)}, text, as_json=json)
