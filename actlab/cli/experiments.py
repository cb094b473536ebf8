"""Commands about experiments: `actlab export`."""

from collections import defaultdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from actlab.client import EXPORTS, Client, Json
from service.domain.exports.columns import SHEETS
from service.settings import load

WHERE = "A filter as NAME=VALUE, such as activation=relu. It can be repeated; of one name, any of the values matches."


def export(
    file: Annotated[Path, typer.Argument(help=f"A file whose name ends in {', '.join(EXPORTS)}.")],
    study: Annotated[str | None, typer.Option(help="Only the experiments of the study with this id.")] = None,
    grid: Annotated[str | None, typer.Option(help="Only this grid, for a study with several.")] = None,
    rows: Annotated[str, typer.Option(help=f"What each row is about: {', '.join(SHEETS)}.")] = "experiments",
    where: Annotated[list[str] | None, typer.Option(help=WHERE)] = None,
) -> None:
    """Export the experiments that have ended into a file, from the service at this address."""
    if grid is not None and (study is None or where):
        raise typer.BadParameter("--grid goes with --study, and not with --where")
    filters: Json = _filters(where or []) if grid is None else {"grid": grid}
    with Client(load().url) as client:
        Console().print(f"{client.export(file, study=study, rows=rows, **filters)} is written.")


def _filters(texts: list[str]) -> dict[str, list[str]]:
    """Return the values of each filter; of one with several, any may match."""
    filters: dict[str, list[str]] = defaultdict(list)
    for text in texts:
        name, sign, value = text.partition("=")
        if not (name and sign):
            raise typer.BadParameter(f"{name or value!r}: write it as NAME=VALUE", param_hint="--where")
        if name == "study":
            raise typer.BadParameter("give a study as --study ID", param_hint="--where")
        filters[name].append(value)
    return filters
