"""The `actlab` command.

A command imports what only it needs when it runs: the API takes seconds to import, and torch is in the extra `worker`,
without which the other commands work.
"""

import httpx2
import typer
from sqlalchemy.exc import DBAPIError

from actlab.cli import data, database, experiments, keys, processes, studies
from actlab.cli.common import fail
from actlab.client import ApiError, UnknownFormat, UnusableProxy
from actlab.demo import DemoFailed
from service.domain.errors import ActLabError

app = typer.Typer(
    name="actlab",
    help="Train and compare activation functions. Settings are read from environment variables, ACTLAB_...",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (processes.demo, processes.up, processes.serve, processes.worker, experiments.export):
    app.command()(command)
app.add_typer(studies.app, name="study")
app.add_typer(experiments.app, name="experiment")
app.add_typer(database.app, name="db")
app.add_typer(keys.app, name="keys")
app.add_typer(data.app, name="data")


def main() -> None:
    """Run the command. An expected error is printed as one line on stderr, and the exit status is 1."""
    try:
        app()
    except ActLabError as error:
        fail(error.detail)
    except (DemoFailed, ApiError, UnknownFormat, UnusableProxy) as error:
        fail(str(error))
    except httpx2.TransportError as error:
        fail(f"The service does not answer: {error}")
    except KeyboardInterrupt:
        fail("interrupted; finished work is kept.")
    except DBAPIError as error:
        fail(f"The database does not answer: {str(error.orig).strip()} (ACTLAB_DATABASE_URL)")
    except OSError as error:
        fail(f"{error.strerror or error}: {error.filename or ''}")
