"""`actlab study`: the studies of the service at this address."""

from pathlib import Path
from typing import Annotated, get_args

import typer

from actlab.cli import completion, live, study_pictures
from actlab.cli.common import service_client
from actlab.cli.experiments import DryRun, changed
from actlab.cli.options import ENDED_BADLY, AsJson, Query
from actlab.cli.output import Json as Record
from actlab.cli.output import say, show, write_json
from actlab.cli.specs import read_spec
from actlab.client import REPORTS, Json
from actlab.tables import comparison_table
from service.domain.choices import PublishedName, TableFormat, TableRows
from service.domain.presets import PRESETS

app = typer.Typer(help="Studies: plan, submit, follow, compare, report, share.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="The id of the study.", autocompletion=completion.studies)]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until it has finished.")]
OnlyGrid = Annotated[str | None, typer.Option(help="Only this grid, for a study with several.")]
Spec = Annotated[
    Path | None, typer.Argument(help="A JSON file with the body of POST /studies; - reads it from standard input.")
]
Versus = Annotated[
    str | None,
    typer.Option(help="Compare every group with this one; `all` compares all pairs. Default: the study's reference."),
]
Preset = Annotated[str | None, typer.Option(help=f"A preset to start from: {', '.join(PRESETS)}.")]


@app.command()
def plan(spec: Spec = None, preset: Preset = None, json: AsJson = False) -> None:
    """Print the size of a study, its estimated duration and the differences that it detects. Nothing is stored."""
    body = _spec(spec, preset)
    with service_client() as client:
        plan = client.plan_study(body)
    show(plan, study_pictures.plan(plan), as_json=json)


@app.command()
def submit(spec: Spec = None, preset: Preset = None, wait: Wait = False, json: AsJson = False) -> None:
    """Queue a study and print its id."""
    body = _spec(spec, preset)
    with service_client() as client:
        study = client.submit_study(body)
        if not json:
            typer.echo(study["id"])
            say(f"Its {study['experiments']} experiments are queued.")
        if wait:
            study = client.finished_study(study["id"])
    if json:
        write_json(study)
    if wait:
        _judge(study)


@app.command("list")
def list_studies(
    text: Annotated[str | None, typer.Option(help="A part of the name.")] = None,
    query: Query = None,
    json: AsJson = False,
) -> None:
    """List all studies, newest first."""
    with service_client() as client:
        studies = client.studies(text=text, query=query)
    show({"items": studies, "next_cursor": None}, study_pictures.studies_table(studies), as_json=json)


@app.command("show")
def show_study(id: Id, wait: Wait = False, json: AsJson = False) -> None:
    """Print the state of a study and what it varies."""
    with service_client() as client:
        study = client.finished_study(id) if wait else client.study(id)
    show(study, study_pictures.study_fields(study), as_json=json)
    if wait:
        _judge(study)


@app.command()
def watch(id: Id, json: AsJson = False) -> None:
    """Follow a study until it has finished: its progress and its running experiments. With --json, print each event on
    a line."""
    with service_client() as client:
        study = live.study_lines(client, id) if json else live.study(client, id)
    _judge(study)


@app.command()
def compare(
    id: Id,
    versus: Versus = None,
    grid: OnlyGrid = None,
    metric: Annotated[str | None, typer.Option(help="The figure to compare. Default: test_accuracy.")] = None,
    format: Annotated[
        TableFormat | None, typer.Option(help="Print a table for a paper or a program, and not for the terminal.")
    ] = None,
    rows: Annotated[TableRows, typer.Option(help="The rows of such a table.")] = "groups",
    json: AsJson = False,
) -> None:
    """Print the comparison of a study's groups, with their uncertainty."""
    query = {"versus": versus, "grid": grid, "metric": metric}
    with service_client() as client:
        if format is not None:
            typer.echo(client.comparison_table(format, study=id, rows=rows, **query), nl=False)
            return
        comparison = client.study_comparison(id, **query)
    show(comparison, comparison_table(comparison), as_json=json)


@app.command()
def curves(
    id: Id,
    metric: Annotated[str, typer.Option(help="The figure of each epoch, such as train_loss.")] = "validation_accuracy",
    grid: OnlyGrid = None,
    json: AsJson = False,
) -> None:
    """Print the mean curve of each group over its seeds: a sparkline, and the figures of the last epoch."""
    with service_client() as client:
        answer = client.study_curves(id, metric=metric, grid=grid)
    show(answer, study_pictures.curves_table(answer), as_json=json)


@app.command()
def claims(id: Id, json: AsJson = False) -> None:
    """Print the verdicts on the articles' claims by the experiments of a study."""
    with service_client() as client:
        answer = client.study_claims(id)
    show(answer, study_pictures.claims_table(answer["claims"]), as_json=json)


@app.command()
def report(
    id: Id,
    file: Annotated[Path, typer.Argument(help=f"A file whose name ends in {', '.join(REPORTS)}.")],
    versus: Versus = None,
    grid: OnlyGrid = None,
    reference: Annotated[
        str | None, typer.Option(help=f"Add the published figures of an article: {', '.join(get_args(PublishedName))}.")
    ] = None,
) -> None:
    """Write the report of a study into a file."""
    with service_client() as client:
        say(f"{client.report(file, id, versus=versus, grid=grid, reference=reference)} is written.")


@app.command("add-seeds")
def add_seeds(
    id: Id, seeds: Annotated[list[int], typer.Argument(help="Seeds to add to every cell.")], json: AsJson = False
) -> None:
    """Queue every cell of a study with further seeds."""
    with service_client() as client:
        study = client.add_seeds(id, seeds)
    if json:
        write_json(study)
    say(f"The study has {len(study['seeds'])} seeds and {study['experiments']} experiments.")


@app.command()
def cancel(id: Id, json: AsJson = False) -> None:
    """Cancel a study: queued experiments at once, running ones within about one step."""
    with service_client() as client:
        study = client.cancel_study(id)
    if json:
        write_json(study)
    say("The study is cancelled; results are kept.")


@app.command()
def retry(id: Id, dry_run: DryRun = False, json: AsJson = False) -> None:
    """Queue the experiments of a study again that failed or were lost, without those that have been retried."""
    with service_client() as client:
        answer = client.retry_study(id, dry_run=dry_run)
    if json:
        write_json(answer)
    say(changed(answer["count"], "queued again", dry_run=dry_run))


@app.command()
def share(
    id: Id,
    expires: Annotated[str, typer.Option(help="Lifetime of the link in hours, days or weeks: 12h, 30d, 4w.")] = "30d",
    revoke: Annotated[str | None, typer.Option(metavar="LINK", help="End this link instead, by its id.")] = None,
    existing: Annotated[bool, typer.Option("--list", help="List the links of the study instead.")] = False,
    json: AsJson = False,
) -> None:
    """Make a link to a read-only page of a study, with its report; whoever has the link sees the page."""
    if existing and revoke is not None:
        raise typer.BadParameter("give either --list or --revoke")
    with service_client() as client:
        if existing:
            links = client.shares(id)
            show({"items": links}, study_pictures.shares_table(links), as_json=json)
            return
        if revoke is not None:
            client.revoke_share(id, revoke)
            say(f"The link {revoke} is revoked.")
            return
        made = client.share_study(id, expires=expires)
        address = client.address(made["url"])
    if json:
        write_json(made)
        return
    say(f"The link {made['id']}, which is not shown again:")
    typer.echo(address)


@app.command()
def archive(id: Id, json: AsJson = False) -> None:
    """Archive a study that has finished, with those of its experiments that no other study counts: lists leave them
    out."""
    _set_archived(id, True, "The study is archived; `actlab study restore` restores it.", json)


@app.command()
def restore(id: Id, json: AsJson = False) -> None:
    """Restore an archived study, with the experiments that were archived with it."""
    _set_archived(id, False, "The study is restored.", json)


@app.command()
def delete(id: Id) -> None:
    """Delete a study whose experiments have all ended, together with them."""
    with service_client() as client:
        client.delete_study(id)
    say("The study is deleted.")


def _set_archived(id: str, archived: bool, sentence: str, as_json: bool) -> None:
    with service_client() as client:
        study = client.edit_study(id, {"archived": archived})
    if as_json:
        write_json(study)
    say(sentence)


def _judge(study: Record) -> None:
    """Exit with status 3 where experiments of a finished study failed and were not retried, or it was cancelled."""
    if study["cancelled_at"] or study["retryable"]:
        count = study["retryable"]
        failed = f"{count} experiment{'' if count == 1 else 's'} failed; `actlab study retry` queues them again."
        say("The study was cancelled." if study["cancelled_at"] else failed)
        raise typer.Exit(ENDED_BADLY)


def _spec(file: Path | None, preset: str | None) -> Json:
    """Return the body to submit: that of the file, with the preset."""
    if file is None and preset is None:
        raise typer.BadParameter("give a file, or --preset, or both")
    body = read_spec(file)
    return body if preset is None else {"preset": preset, **body}
