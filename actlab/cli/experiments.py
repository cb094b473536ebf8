"""Commands about experiments: `actlab export`, and `actlab experiment` for many of them at once."""

from collections import defaultdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from actlab.cli.common import service_client
from actlab.client import EXPORTS, Json
from service.domain.choices import ExportRows

app = typer.Typer(help="Experiments: cancel, delete or retry many at once.", no_args_is_help=True)

WHERE = "A filter as NAME=VALUE, such as activation=relu. It can be repeated; of one name, any of the values matches."

Where = Annotated[list[str] | None, typer.Option(help=WHERE)]
Ids = Annotated[list[str] | None, typer.Argument(help="The ids of the experiments.")]
Study = Annotated[str | None, typer.Option(help="Only the experiments of the study with this id.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Change nothing; print how many it would be.")]


@app.command()
def cancel(ids: Ids = None, study: Study = None, where: Where = None, dry_run: DryRun = False) -> None:
    """Cancel the experiments with these ids, or all that match the filters."""
    _change("cancel_experiments", ids, study, where, dry_run, "cancelled")


@app.command()
def delete(ids: Ids = None, study: Study = None, where: Where = None, dry_run: DryRun = False) -> None:
    """Delete the experiments with these ids, or all that match the filters, of those that have ended."""
    _change("delete_experiments", ids, study, where, dry_run, "deleted")


@app.command()
def retry(ids: Ids = None, study: Study = None, where: Where = None, dry_run: DryRun = False) -> None:
    """Queue the experiments with these ids again, or all that match the filters, of those that have ended."""
    _change("retry_experiments", ids, study, where, dry_run, "queued again")


def _change(
    method: str, ids: list[str] | None, study: str | None, where: list[str] | None, dry_run: bool, participle: str
) -> None:
    filters: Json = _filters(where or []) | ({} if study is None else {"study": study})
    if bool(ids) == bool(filters):
        raise typer.BadParameter("give either ids, or --study or --where")
    with service_client() as client:
        count = getattr(client, method)(ids or None, dry_run=dry_run, **filters)["count"]
    Console().print(changed(count, participle, dry_run=dry_run))


def changed(count: int, participle: str, *, dry_run: bool) -> str:
    """Return a sentence about how many experiments a command has changed, or would change."""
    would = "would be" if dry_run else "is" if count == 1 else "are"
    return f"{count} {'experiment' if count == 1 else 'experiments'} {would} {participle}."


def export(
    file: Annotated[Path, typer.Argument(help=f"A file whose name ends in {', '.join(EXPORTS)}.")],
    study: Annotated[str | None, typer.Option(help="Only the experiments of the study with this id.")] = None,
    grid: Annotated[str | None, typer.Option(help="Only this grid, for a study with several.")] = None,
    rows: Annotated[ExportRows, typer.Option(help="What each row is about.")] = "experiments",
    where: Where = None,
) -> None:
    """Export the experiments that have ended into a file, from the service at this address."""
    if grid is not None and (study is None or where):
        raise typer.BadParameter("--grid goes with --study, and not with --where")
    filters: Json = _filters(where or []) if grid is None else {"grid": grid}
    with service_client() as client:
        Console().print(f"{client.export(file, study=study, rows=rows, **filters)} is written.")


def _filters(texts: list[str]) -> Json:
    """Return the value of each filter; a list where it has several, of which any may match."""
    filters: dict[str, list[str]] = defaultdict(list)
    for text in texts:
        name, sign, value = text.partition("=")
        if not (name and sign):
            raise typer.BadParameter(f"{name or value!r}: write it as NAME=VALUE", param_hint="--where")
        if name == "study":
            raise typer.BadParameter("give a study as --study ID", param_hint="--where")
        filters[name].append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in filters.items()}
