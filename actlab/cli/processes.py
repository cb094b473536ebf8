"""Commands that run processes: `actlab demo`, `up`, `serve` and `worker`."""

import signal
import sys
from typing import Annotated

import typer
from rich.console import Console

from actlab import demo as demonstration
from actlab.cli.common import command_settings, fail, require_database
from actlab.client import Client
from service.domain.datasets import DATASETS
from service.domain.presets import PRESETS
from service.process.parent import end_with
from worker.environment import restart_unless_set

QUICK = PRESETS["quick"]["base"]

Insecure = Annotated[bool, typer.Option("--insecure", help="Serve an address that others can reach, without API keys.")]
Parent = Annotated[int | None, typer.Option(hidden=True, help="Process id of the supervisor to end with.")]


def demo(
    dataset: Annotated[
        str | None, typer.Option(help=f"The data set: {', '.join(DATASETS)}.", show_default=QUICK["dataset"])
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Epochs of each experiment.", show_default=str(QUICK["epochs"]))
    ] = None,
) -> None:
    """Train five activations over three seeds, and print their comparison."""
    settings = command_settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    console = Console()
    # A plain SIGTERM would end the process without stopping the service that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with Client(settings.url) as client:
        options: dict[str, str | int | None] = {"dataset": dataset, "epochs": epochs}
        base = {name: value for name, value in options.items() if value is not None}
        demonstration.run(client, settings.url, settings.home, console, **base)


def up(insecure: Insecure = False, parent: Parent = None) -> None:
    """Run the API and one worker until Ctrl-C."""
    from actlab.supervisor import Supervisor

    end_with(parent)
    raise typer.Exit(Supervisor(command_settings(insecure=insecure)).run())


def serve(insecure: Insecure = False, parent: Parent = None) -> None:
    """Run the API alone."""
    from service.api.app import create_app
    from service.api.server import serve as serve_api

    settings = command_settings(insecure=insecure)
    api = create_app(settings)
    require_database(settings)
    end_with(parent)
    serve_api(api, settings)


def worker(
    id: Annotated[str | None, typer.Option(help="The id in the list of workers. Default: a new one.")] = None,
    parent: Parent = None,
) -> None:
    """Run a worker, which trains one experiment at a time on one device."""
    restart_unless_set()
    try:
        from worker.app import main as serve_work
    except ModuleNotFoundError as error:
        fail(f"A worker needs the extra `worker` ({error.name} is missing): pip install 'actlab[worker]'.")
    settings = command_settings()
    end_with(parent)
    raise typer.Exit(serve_work(settings, id))
