"""The `actlab` command.

What only one command needs is imported in it: the API alone costs seconds, which no other command should wait for, and
torch is in the extra `worker`, without which the others do their work.
"""

import signal
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import httpx2
import typer
from rich.console import Console
from sqlalchemy.exc import DBAPIError

from actlab import demo as quick
from actlab import study_commands
from actlab.client import ApiError, Client, UnknownFormat
from service import log
from service.domain.errors import ActLabError
from service.parent import end_with
from service.settings import Settings, load
from worker.tuning import start_again_if_untuned

app = typer.Typer(
    name="actlab",
    help="Which activation function should this network use? Settings: ACTLAB_... environment variables.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
database_commands = typer.Typer(help="The database's schema.", no_args_is_help=True)
data_commands = typer.Typer(help="Data sets.", no_args_is_help=True)
app.add_typer(study_commands.app, name="study")
app.add_typer(database_commands, name="db")
app.add_typer(data_commands, name="data")

Insecure = Annotated[bool, typer.Option("--insecure", help="Serve an address others can reach, without API keys.")]
Parent = Annotated[int | None, typer.Option(hidden=True, help="Process id of the supervisor to end with.")]


@app.command()
def demo(
    dataset: Annotated[
        str | None, typer.Option(help="mnist_5k (comes with the package) or mnist.", show_default="mnist_5k")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Of each experiment.", show_default="3")] = None,
) -> None:
    """Compare five activations over three seeds, and print the table."""
    settings = _settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    console = Console()
    # A plain SIGTERM would end the process without stopping the service that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with Client(settings.url) as client:
        base: dict[str, str | int | None] = {"dataset": dataset, "epochs": epochs}
        given = {name: value for name, value in base.items() if value is not None}
        quick.run(client, settings.url, settings.home, console, **given)


@app.command()
def up(insecure: Insecure = False, parent: Parent = None) -> None:
    """Serve the API with one worker, until Ctrl-C."""
    from actlab.supervisor import Supervisor

    end_with(parent)
    raise typer.Exit(Supervisor(_settings(insecure=insecure)).run())


@app.command()
def serve(insecure: Insecure = False, parent: Parent = None) -> None:
    """Serve the API alone."""
    from service.api.app import create_app
    from service.api.server import serve as serve_api

    settings = _settings(insecure=insecure)
    api = create_app(settings)
    _require_database(settings)
    end_with(parent)
    serve_api(api, settings)


@app.command()
def worker(
    id: Annotated[str | None, typer.Option(help="Its name in the list of workers; default: a new one.")] = None,
    parent: Parent = None,
) -> None:
    """Run one worker: one device, one experiment at a time."""
    start_again_if_untuned()
    try:
        from worker.app import main as serve_work
    except ModuleNotFoundError as error:
        _fail(f"A worker needs the extra `worker` ({error.name} is missing): pip install 'actlab[worker]'.")
    settings = _settings()
    end_with(parent)
    raise typer.Exit(serve_work(settings, id))


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="Its name ends in .csv, .parquet or .jsonl.")],
    study: Annotated[str | None, typer.Option(help="Only the experiments of the study with this id.")] = None,
    grid: Annotated[str | None, typer.Option(help="Of a study with several grids, only this one.")] = None,
    rows: Annotated[str, typer.Option(help="A row for each of: experiments, epochs, diagnostics.")] = "experiments",
    where: Annotated[
        list[str] | None, typer.Option(help="A filter of the list, such as activation=relu; repeat it.")
    ] = None,
) -> None:
    """Write the experiments that have ended into a file, from the service that runs here."""
    if grid is not None and (study is None or where):
        raise typer.BadParameter("--grid goes with --study, and not with --where")
    filters = _filters(where or []) if grid is None else {"grid": grid}
    with Client(load().url) as client:
        Console().print(f"{client.export(file, study=study, rows=rows, **filters)} is written.")


@database_commands.command("upgrade")
def upgrade_database() -> None:
    """Bring the schema up to date; on SQLite after a backup beside the file."""
    from service.storage import migrate
    from service.storage.engine.database import open_database

    settings = _settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    database = open_database(settings)
    migrate.upgrade(database)
    Console().print(f"The database is at revision {migrate.current(database)}.")


@database_commands.command("check")
def check_database() -> None:
    """Say whether the schema is the one that this version needs."""
    _require_database(_settings())
    Console().print("The database is up to date.")


@database_commands.command("backup")
def back_up_database(file: Annotated[Path, typer.Argument(help="A file that does not exist yet.")]) -> None:
    """Copy the SQLite database, whole and consistent, while everything runs. PostgreSQL has pg_dump."""
    from service.storage import migrate
    from service.storage.engine.database import open_database

    migrate.back_up(open_database(_settings()), file)
    Console().print(f"{file} holds everything committed until now.")


@data_commands.command("fetch")
def fetch_data(
    names: Annotated[list[str] | None, typer.Argument(help="mnist, fashion_mnist; default: mnist.")] = None,
) -> None:
    """Download data sets, verified, into the data folder."""
    try:
        from worker.training.fetching import fetch_all
    except ModuleNotFoundError as error:
        _fail(f"Data sets need the extra `worker` ({error.name} is missing): pip install 'actlab[worker]'.")
    settings = _settings()
    fetch_all(names or ["mnist"], settings.home, settings.data_dir, Console())


def main() -> None:
    """The entry point: every error that is expected becomes one line on stderr and a status that is not 0."""
    try:
        app()
    except ActLabError as error:
        _fail(error.detail)
    except (quick.DemoFailed, ApiError, UnknownFormat) as error:
        _fail(str(error))
    except httpx2.TransportError as error:
        _fail(f"The service does not answer: {error}")
    except KeyboardInterrupt:
        _fail("interrupted; what was done is kept.")
    except DBAPIError as error:
        _fail(f"The database does not answer: {str(error.orig).strip()} (ACTLAB_DATABASE_URL)")
    except OSError as error:
        _fail(f"{error.strerror or error}: {error.filename or ''}")


def _require_database(settings: Settings) -> None:
    """Fail in one line, before anything has started, rather than in a server's start-up."""
    from service.storage import migrate
    from service.storage.engine.database import open_database

    settings.home.mkdir(parents=True, exist_ok=True)
    database = open_database(settings)
    migrate.check(database)
    database.close()


def _settings(insecure: bool = False) -> Settings:
    settings = load()
    log.configure(settings.log_level)
    return settings.model_copy(update={"insecure": True}) if insecure else settings


def _filters(given: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    for name, sign, value in pairs:
        if not (name and sign):
            raise typer.BadParameter(f"{name or value!r}: write it as NAME=VALUE", param_hint="--where")
        if name == "study":
            raise typer.BadParameter("give a study as --study ID", param_hint="--where")
    return {name: value for name, _, value in pairs}


def _fail(reason: str) -> NoReturn:
    Console(stderr=True).print(f"actlab: {reason}", style="red", highlight=False, soft_wrap=True, markup=False)
    sys.exit(1)
