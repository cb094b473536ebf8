"""`actlab data`: data sets."""

from typing import Annotated

import typer
from rich.console import Console

from actlab.cli.common import command_settings, fail

app = typer.Typer(help="Data sets.", no_args_is_help=True)


@app.command("fetch")
def fetch_data(
    names: Annotated[list[str] | None, typer.Argument(help="mnist, fashion_mnist; default: mnist.")] = None,
) -> None:
    """Download data sets, verified, into the data folder."""
    try:
        from service.datasets.fetching import fetch_all
    except ModuleNotFoundError as error:
        fail(f"Data sets need the extra `worker` ({error.name} is missing): pip install 'actlab[worker]'.")
    settings = command_settings()
    fetch_all(names or ["mnist"], settings.home, settings.data_dir, Console())
