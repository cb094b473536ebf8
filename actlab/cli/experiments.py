"""Commands about experiments: `actlab export`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from actlab.client import Client
from service.settings import load


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


def _filters(texts: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    for name, sign, value in pairs:
        if not (name and sign):
            raise typer.BadParameter(f"{name or value!r}: write it as NAME=VALUE", param_hint="--where")
        if name == "study":
            raise typer.BadParameter("give a study as --study ID", param_hint="--where")
    return {name: value for name, _, value in pairs}
