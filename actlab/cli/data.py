"""`actlab data`: the files of data sets."""

from typing import Annotated

import typer
from rich.console import Console

from actlab.cli.common import command_settings
from actlab.cli.options import AsJson
from actlab.cli.output import show
from service.domain.datasets import published

app = typer.Typer(help="Data sets.", no_args_is_help=True)


@app.command("fetch")
def fetch_data(
    names: Annotated[list[str] | None, typer.Argument(help=f"{', '.join(published())}; default: mnist.")] = None,
    json: AsJson = False,
) -> None:
    """Download data sets into the data folder and verify them."""
    settings = command_settings()
    from service.datasets.fetching import fetch_all

    folders = fetch_all(names or ["mnist"], settings.home, settings.data_dir, Console(stderr=True))
    items = [{"name": name, "folder": folder and str(folder)} for name, folder in folders.items()]
    lines = [f"{name}: {folder or 'comes with a Python package, nothing to fetch'}" for name, folder in folders.items()]
    show({"items": items}, "\n".join(lines), as_json=json)
