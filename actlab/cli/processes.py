"""Commands that run processes: `actlab demo`, `up`, `serve` and `worker`."""

import signal
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from actlab import demo as demonstration
from actlab import holder, ports
from actlab.cli.common import command_settings, extra, require_access, require_database, service_client
from actlab.client import Client
from service.domain.datasets import DATASETS
from service.domain.presets import PRESETS
from worker.environment import restart_unless_set

if TYPE_CHECKING:
    from service.settings import Settings

QUICK = PRESETS["quick"]["base"]

Insecure = Annotated[
    bool,
    typer.Option("--insecure", help="Serve an address that others can reach, or behind a proxy, without API keys."),
]
Parent = Annotated[int | None, typer.Option(hidden=True, help="Process id of the supervisor to end with.")]
Port = Annotated[int | None, typer.Option(hidden=True, help="The port, in place of ACTLAB_PORT.")]


def demo(
    dataset: Annotated[
        str | None, typer.Option(help=f"The data set: {', '.join(DATASETS)}.", show_default=QUICK["dataset"])
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Epochs of each experiment.", show_default=str(QUICK["epochs"]))
    ] = None,
) -> None:
    """Train five activations over five seeds, and print their comparison."""
    settings = command_settings(needs="worker")  # it starts `actlab up`
    settings.home.mkdir(parents=True, exist_ok=True)
    console = Console()
    # A plain SIGTERM would end the process without stopping the service that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    url, start = _demo_service(settings, console)
    with service_client(url) as client:
        options: dict[str, str | int | None] = {"dataset": dataset, "epochs": epochs}
        base = {name: value for name, value in options.items() if value is not None}
        demonstration.run(client, url, settings.home, console, start, **base)


def _demo_service(settings: "Settings", console: Console) -> tuple[str, str]:
    """Return the URL of the service that the demo uses, and the command that starts it again.

    Unless ACTLAB_PORT is set, it is the service that runs in the data folder, or one at a free port where another
    program has the default one.
    """
    if "port" in settings.model_fields_set or settings.port == 0:
        return settings.own_url, "make up"
    process = holder.read(settings.home)
    if process is not None and _is_healthy(process.url):
        return process.url, "make up"
    if _is_healthy(settings.own_url) or not ports.is_taken(settings.host, settings.port):
        return settings.own_url, "make up"
    port = ports.free_port(settings.host)
    console.print(f"Port {settings.port} is taken by another program: the demo uses port {port}.")
    return settings.model_copy(update={"port": port}).own_url, f"ACTLAB_PORT={port} make up"


def _is_healthy(url: str) -> bool:
    with Client(url) as client:
        return client.healthy()


def up(insecure: Insecure = False, parent: Parent = None, port: Port = None) -> None:
    """Run the API and workers until Ctrl-C."""
    with extra("worker"):
        _end_with(parent)
        from actlab.supervisor import Supervisor

    raise typer.Exit(Supervisor(command_settings(insecure, port)).run())


def serve(insecure: Insecure = False, parent: Parent = None, port: Port = None) -> None:
    """Run the API alone."""
    with extra("server"):
        _end_with(parent)
        from service.api import processes
        from service.api.app import create_app

    settings = command_settings(insecure, port)
    api = create_app(settings)
    require_database(settings)
    require_access(settings)
    raise typer.Exit(processes.run(api, settings))


workers = typer.Typer(help="Run a worker, which trains one experiment at a time on one device.")


@workers.callback(invoke_without_command=True)
def worker(
    context: typer.Context,
    id: Annotated[str | None, typer.Option(help="The id in the list of workers. Default: a new one.")] = None,
    share: Annotated[int, typer.Option(min=1, help="Workers among which the processors are divided, on CPU.")] = 1,
    parent: Parent = None,
) -> None:
    """Run a worker, which trains one experiment at a time on one device; `list` lists the workers of the service."""
    if context.invoked_subcommand is not None:
        return
    with extra("worker"):
        _end_with(parent)
        restart_unless_set()
        from worker.app import main as serve_work

    settings = command_settings()
    raise typer.Exit(serve_work(settings, id, share))


def _end_with(parent: int | None) -> None:
    """End this process with its parent, already while it imports the rest."""
    from service.process.parent import end_with

    end_with(parent)
