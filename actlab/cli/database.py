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
