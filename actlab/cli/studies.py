"""`actlab study`: the studies of the service at this address."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from rich.console import Console
from rich.table import Table

from actlab.cli.common import service_client
from actlab.cli.experiments import DryRun, changed
from actlab.client import REPORTS, Json
from actlab.tables import comparison_table
from service.domain.choices import PublishedName, TableFormat, TableRows
from service.domain.presets import PRESETS

app = typer.Typer(help="Studies: plan, submit, follow, compare.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The id of the study.")]
Spec = Annotated[
    Path | None, typer.Argument(help="A JSON file with the body of POST /studies; - reads it from standard input.")
]
Versus = Annotated[
    str | None,
    typer.Option(help="Compare every group with this one; `all` compares all pairs. Default: the study's reference."),
]
Preset = Annotated[str | None, typer.Option(help=f"A preset to start from: {', '.join(PRESETS)}.")]


@app.command()
def plan(spec: Spec = None, preset: Preset = None) -> None:
    """Print the size of a study, its estimated duration and the differences that it detects. Nothing is stored."""
    body = _spec(spec, preset)
    with service_client() as client:
        plan = client.plan_study(body)
    time = "unknown" if plan["seconds"] is None else f"{plan['seconds']:.0f} s"
    Console().print(f"{plan['cells']} cells, {plan['experiments']} experiments, time {time}. {plan['basis']}")
    for detectable in plan["detectable"]:
        grid = "" if detectable["grid"] is None else f"{detectable['grid']}: "
        Console().print(f"{grid}{detectable['text']}")


@app.command()
def submit(spec: Spec = None, preset: Preset = None) -> None:
    """Queue a study and print its id."""
    body = _spec(spec, preset)
    with service_client() as client:
        typer.echo(client.submit_study(body)["id"])


@app.command("list")
def list_studies(text: Annotated[str | None, typer.Option(help="A part of the name.")] = None) -> None:
    """List all studies, newest first."""
    table = Table("id", "name", "experiments", "succeeded", "finished", box=None)
    with service_client() as client:
        studies = client.studies(text=text)
    for study in studies:
        numbers = (str(study["experiments"]), str(study["progress"]["succeeded"]))
        table.add_row(study["id"], study["name"] or "", *numbers, "yes" if study["finished"] else "no")
    Console(soft_wrap=True).print(table)


@app.command()
def show(id: Id, wait: Annotated[bool, typer.Option("--wait", help="Wait until it has finished.")] = False) -> None:
    """Print a study as JSON."""
    with service_client() as client:
        study = client.finished_study(id) if wait else client.study(id)
    typer.echo(json.dumps(study, indent=2))


@app.command()
def compare(
    id: Id,
    versus: Versus = None,
    grid: Annotated[str | None, typer.Option(help="Only this grid, for a study with several.")] = None,
    metric: Annotated[str | None, typer.Option(help="The figure to compare. Default: test_accuracy.")] = None,
    format: Annotated[
        TableFormat | None, typer.Option(help="Print a table for a paper or a program, and not for the terminal.")
    ] = None,
    rows: Annotated[TableRows, typer.Option(help="The rows of such a table.")] = "groups",
) -> None:
    """Print the comparison of a study's groups, with their uncertainty."""
    query = {"versus": versus, "grid": grid, "metric": metric}
    with service_client() as client:
        if format is not None:
            typer.echo(client.comparison_table(format, study=id, rows=rows, **query), nl=False)
        else:
            Console().print(comparison_table(client.study_comparison(id, **query)))


@app.command()
def report(
    id: Id,
    file: Annotated[Path, typer.Argument(help=f"A file whose name ends in {', '.join(REPORTS)}.")],
    versus: Versus = None,
    grid: Annotated[str | None, typer.Option(help="Only this grid, for a study with several.")] = None,
    reference: Annotated[
        str | None, typer.Option(help=f"Add the published figures of an article: {', '.join(get_args(PublishedName))}.")
    ] = None,
) -> None:
    """Write the report of a study into a file."""
    with service_client() as client:
        Console().print(f"{client.report(file, id, versus=versus, grid=grid, reference=reference)} is written.")


@app.command("add-seeds")
def add_seeds(id: Id, seeds: Annotated[list[int], typer.Argument(help="Seeds to add to every cell.")]) -> None:
    """Queue every cell of a study with further seeds."""
    with service_client() as client:
        study = client.add_seeds(id, seeds)
    Console().print(f"The study has {len(study['seeds'])} seeds and {study['experiments']} experiments.")


@app.command()
def cancel(id: Id) -> None:
    """Cancel a study: queued experiments at once, running ones within about one step."""
    with service_client() as client:
        client.cancel_study(id)
    Console().print("The study is cancelled; results are kept.")


@app.command()
def retry(id: Id, dry_run: DryRun = False) -> None:
    """Queue the experiments of a study again that failed or were lost, without those that have been retried."""
    with service_client() as client:
        count = client.retry_study(id, dry_run=dry_run)["count"]
    Console().print(changed(count, "queued again", dry_run=dry_run))


@app.command()
def share(
    id: Id,
    expires: Annotated[str, typer.Option(help="Lifetime of the link in hours, days or weeks: 12h, 30d, 4w.")] = "30d",
    revoke: Annotated[str | None, typer.Option(metavar="LINK", help="End this link instead, by its id.")] = None,
) -> None:
    """Make a link to a read-only page of a study, with its report; whoever has the link sees the page."""
    with service_client() as client:
        if revoke is not None:
            client.revoke_share(id, revoke)
            Console().print(f"The link {revoke} is revoked.")
            return
        made = client.share_study(id, expires=expires)
        Console(stderr=True).print(f"The link {made['id']}, which is not shown again:", highlight=False)
        typer.echo(client.address(made["url"]))


@app.command()
def delete(id: Id) -> None:
    """Delete a study whose experiments have all ended, together with them."""
    with service_client() as client:
        client.delete_study(id)
    Console().print("The study is deleted.")


def _spec(file: Path | None, preset: str | None) -> Json:
    """Return the body to submit: that of the file, with the preset."""
    if file is None and preset is None:
        raise typer.BadParameter("give a file, or --preset, or both")
    try:
        # Of bytes, json finds out the encoding: Windows writes UTF-8 or UTF-16 with a byte order mark.
        body: Any = json.loads(b"{}" if file is None else _read(file))
    except ValueError as error:
        raise typer.BadParameter(f"{file} is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise typer.BadParameter(f"{file} should hold a JSON object")
    return body if preset is None else {"preset": preset, **body}


def _read(file: Path) -> bytes:
    return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
