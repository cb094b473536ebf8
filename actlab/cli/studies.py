"""`actlab study`: studies of the service that runs here, from a shell."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from actlab.client import Client, Json
from actlab.tables import comparison_table
from service.settings import load

app = typer.Typer(help="Studies: plan, submit, watch, compare.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="Id of the study.")]
Spec = Annotated[
    Path | None, typer.Argument(help="A JSON file with the body of POST /studies; - reads it from standard input.")
]
Preset = Annotated[str | None, typer.Option(help="Start from a preset: quick, kizrak-2019, claims.")]


@app.command()
def plan(spec: Spec = None, preset: Preset = None) -> None:
    """Say what a study would hold and how long it would take; store nothing."""
    body = _spec(spec, preset)
    with _client() as client:
        found = client.plan_study(body)
    time = "unknown" if found["seconds"] is None else f"{found['seconds']:.0f} s"
    Console().print(f"{found['cells']} cells, {found['experiments']} experiments, time {time}. {found['basis']}")


@app.command()
def submit(spec: Spec = None, preset: Preset = None) -> None:
    """Queue a study, and print its id."""
    body = _spec(spec, preset)
    with _client() as client:
        typer.echo(client.submit_study(body)["id"])


@app.command("list")
def list_studies(text: Annotated[str | None, typer.Option(help="Part of the name.")] = None) -> None:
    """All studies, newest first."""
    table = Table("id", "name", "experiments", "succeeded", "finished", box=None)
    with _client() as client:
        found = client.studies(text=text)
    for study in found:
        numbers = (str(study["experiments"]), str(study["progress"]["succeeded"]))
        table.add_row(study["id"], study["name"] or "", *numbers, "yes" if study["finished"] else "no")
    Console(soft_wrap=True).print(table)


@app.command()
def show(id: Id, wait: Annotated[bool, typer.Option("--wait", help="Until it has finished.")] = False) -> None:
    """One study, as JSON."""
    with _client() as client:
        found = client.finished_study(id) if wait else client.study(id)
    typer.echo(json.dumps(found, indent=2))


@app.command()
def compare(
    id: Id,
    versus: Annotated[str | None, typer.Option(help="Hold every group against this one.")] = None,
    grid: Annotated[str | None, typer.Option(help="Of several grids, only this one.")] = None,
) -> None:
    """The groups of a study side by side, with their uncertainty."""
    with _client() as client:
        Console().print(comparison_table(client.study_comparison(id, versus=versus, grid=grid)))


@app.command()
def report(
    id: Id,
    file: Annotated[Path, typer.Argument(help="Its name ends in .html or .md.")],
    grid: Annotated[str | None, typer.Option(help="Of several grids, only this one.")] = None,
    reference: Annotated[str | None, typer.Option(help="Set this article's figures beside: kizrak-2019.")] = None,
) -> None:
    """Write the whole study as one page to read, keep or send."""
    with _client() as client:
        Console().print(f"{client.report(file, id, grid=grid, reference=reference)} is written.")


@app.command("add-seeds")
def add_seeds(id: Id, seeds: Annotated[list[int], typer.Argument(help="Seeds to add to every cell.")]) -> None:
    """Queue every cell with further seeds."""
    with _client() as client:
        study = client.add_seeds(id, seeds)
    Console().print(f"It has {len(study['seeds'])} seeds and {study['experiments']} experiments.")


@app.command()
def cancel(id: Id) -> None:
    """End what is queued at once, and what runs within a step."""
    with _client() as client:
        client.cancel_study(id)
    Console().print("It is cancelled; what has ended is kept.")


@app.command()
def delete(id: Id) -> None:
    """Delete a study whose experiments have all ended, and them with it."""
    with _client() as client:
        client.delete_study(id)
    Console().print("It is deleted.")


def _client() -> Client:
    return Client(load().url)


def _spec(file: Path | None, preset: str | None) -> Json:
    """What to submit: the file's, with the preset named in it."""
    if file is None and preset is None:
        raise typer.BadParameter("give a file, or --preset, or both")
    try:
        text = "{}" if file is None else sys.stdin.read() if str(file) == "-" else file.read_text()
        found: Any = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"{file} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise typer.BadParameter(f"{file} should hold a JSON object")
    return found if preset is None else {"preset": preset, **found}
