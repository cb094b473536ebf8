"""The `actlab` command.

A command imports what only it needs when it runs: what a client has is enough for most, those that run or open parts of
the service need the extra `server`, and those that train the extra `worker`. The API takes seconds to import.
"""

import sys
from importlib.metadata import version
from typing import Annotated

import httpx2
import typer

from actlab.cli import (
    activations,
    data,
    database,
    doctor,
    experiments,
    fleet,
    keys,
    login,
    processes,
    records,
    studies,
)
from actlab.cli.common import fail
from actlab.cli.options import EXIT_CODES, GlobalOptions, set_global
from actlab.client import ApiError, UnknownFormat, UnusableProxy
from actlab.configuration import InvalidConfiguration
from actlab.demo import DemoFailed
from service.domain.errors import ActLabError

app = typer.Typer(
    name="actlab",
    help="Train and compare activation functions. Settings are read from environment variables, ACTLAB_...",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(version("actlab"))
        raise typer.Exit


@app.callback()
def set_options(
    url: Annotated[str | None, typer.Option(help="The URL of the service, in place of ACTLAB_URL.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the API's answers as JSON.", show_default=False)] = False,
    _: Annotated[
        bool,
        typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version),
    ] = False,
) -> None:
    set_global(GlobalOptions(url, json))


for command in (processes.demo, processes.up, processes.serve):
    app.command()(command)
processes.workers.command("list")(fleet.list_workers)
app.add_typer(processes.workers, name="worker")
app.add_typer(studies.app, name="study")
app.add_typer(experiments.app, name="experiment")
app.add_typer(activations.app, name="activation")
for single in (records.diff, experiments.export, fleet.queue, fleet.audit, login.login, doctor.doctor):
    app.command()(single)
app.command("open")(records.open_page)
app.add_typer(database.app, name="db")
app.add_typer(keys.app, name="keys")
app.add_typer(data.app, name="data")


def main() -> None:
    """Run the command. An expected error is printed as one line on stderr, and the exit status is 1."""
    try:
        app()
    except ActLabError as error:
        fail(error.detail)
    except (DemoFailed, ApiError, InvalidConfiguration, UnknownFormat, UnusableProxy) as error:
        fail(str(error))
    except httpx2.TransportError as error:
        fail(f"The service does not answer: {error}")
    except KeyboardInterrupt:
        fail("interrupted; finished work is kept.")
    except OSError as error:
        fail(f"{error.strerror or error}: {error.filename or ''}")
    except Exception as error:
        reason = _database_problem(error)
        if reason is None:
            raise
        fail(f"The database does not answer: {reason} (ACTLAB_DATABASE_URL)")


def _database_problem(error: Exception) -> str | None:
    """Return the database's own words in an error of SQLAlchemy; None for any other error.

    Where SQLAlchemy raised it, it is loaded; a client does not have it.
    """
    module = sys.modules.get("sqlalchemy.exc")
    return str(error.orig).strip() if module is not None and isinstance(error, module.DBAPIError) else None
