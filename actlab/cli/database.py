"""`actlab db`: the schema of the database, and backups."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from actlab.cli.common import command_settings, require_database

app = typer.Typer(help="The schema of the database, and backups.", no_args_is_help=True)


@app.command("upgrade")
def upgrade_database() -> None:
    """Upgrade the schema to the newest revision. On SQLite, a backup is made beside the file first."""
    settings = command_settings()
    from service.storage import migrate
    from service.storage.engine.database import open_database

    settings.home.mkdir(parents=True, exist_ok=True)
    database = open_database(settings)
    migrate.upgrade(database)
    Console().print(f"The database is at revision {migrate.current(database)}.")


@app.command("check")
def check_database() -> None:
    """Check that the schema is the one that this version needs."""
    require_database(command_settings())
    Console().print("The database is up to date.")


@app.command("backup")
def back_up_database(file: Annotated[Path, typer.Argument(help="A file that does not exist yet.")]) -> None:
    """Copy the SQLite database consistently while the service runs. For PostgreSQL, use pg_dump."""
    settings = command_settings()
    from service.storage import migrate
    from service.storage.engine.database import open_database

    migrate.back_up(open_database(settings), file)
    Console().print(f"The database is copied to {file}.")
