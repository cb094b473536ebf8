"""The `actlab` command.

What only one command needs is imported in that command: the API alone takes seconds to import, which no other command
should wait for, and torch is in the extra `worker`, without which the other commands do their work.
"""

import httpx2
import typer
from sqlalchemy.exc import DBAPIError

from actlab.cli import data, database, experiments, processes, studies
from actlab.cli.common import fail
from actlab.client import ApiError, UnknownFormat
from actlab.demo import DemoFailed
from service.domain.errors import ActLabError

app = typer.Typer(
    name="actlab",
    help="Which activation function should this network use? Settings: ACTLAB_... environment variables.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (processes.demo, processes.up, processes.serve, processes.worker, experiments.export):
    app.command()(command)
app.add_typer(studies.app, name="study")
app.add_typer(database.app, name="db")
app.add_typer(data.app, name="data")


def main() -> None:
    """Run the command; every expected error becomes one line on stderr and a status that is not 0."""
    try:
        app()
    except ActLabError as error:
        fail(error.detail)
    except (DemoFailed, ApiError, UnknownFormat) as error:
        fail(str(error))
    except httpx2.TransportError as error:
        fail(f"The service does not answer: {error}")
    except KeyboardInterrupt:
        fail("interrupted; what was done is kept.")
    except DBAPIError as error:
        fail(f"The database does not answer: {str(error.orig).strip()} (ACTLAB_DATABASE_URL)")
    except OSError as error:
        fail(f"{error.strerror or error}: {error.filename or ''}")
