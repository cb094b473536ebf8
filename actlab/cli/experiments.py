"""Commands about experiments: `actlab experiment`, and `actlab export`."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from actlab.cli import completion, live, logs, pictures
from actlab.cli.common import service_client
from actlab.cli.editor import edit
from actlab.cli.options import ENDED_BADLY, REFUSED, AsJson, Query, Where, filters_of
from actlab.cli.output import Json, say, show, write_json, write_line
from actlab.cli.specs import read_spec, with_fields
from actlab.client import EXPORTS, Client
from service.domain.choices import ExportRows

app = typer.Typer(help="Experiments: submit, follow, read, file, cancel, retry, archive, delete.", no_args_is_help=True)

Id = Annotated[
    str, typer.Argument(metavar="ID", help="The id of the experiment.", autocompletion=completion.experiments)
]
Ids = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ID]...", help="The ids of the experiments.", autocompletion=completion.experiments),
]
SomeIds = Annotated[
    list[str],
    typer.Argument(metavar="ID...", help="The ids of the experiments.", autocompletion=completion.experiments),
]
Study = Annotated[
    str | None,
    typer.Option(help="Only the experiments of the study with this id.", autocompletion=completion.studies),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Change nothing; print how many it would be.")]


@app.command()
def submit(
    file: Annotated[
        Path | None,
        typer.Argument(help="A JSON file with the body of POST /experiments; - reads it from standard input."),
    ] = None,
    set: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="A field of the spec, as activation=relu or optimizer.learning_rate=0.01; it can be repeated.",
        ),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it has ended.")] = False,
    json: AsJson = False,
) -> None:
    """Queue an experiment and print its id."""
    if file is None and not set:
        raise typer.BadParameter("give a file, or --set activation=NAME, or both")
    body = with_fields(read_spec(file), set)
    with service_client() as client:
        experiment = client.submit_experiment(body)
        if not json:
            typer.echo(experiment["id"])
            say(f"It is {experiment['status']}. {experiment['waiting_reason'] or ''}".rstrip())
        if wait:
            experiment = client.finished_experiment(experiment["id"])
    if json:
        write_json(experiment)
    if wait:
        _judge([experiment])


@app.command("list")
def list_experiments(
    study: Study = None,
    where: Where = None,
    query: Query = None,
    sort: Annotated[
        str, typer.Option(help="A figure, such as -validation_accuracy for the largest first, or id.")
    ] = "-id",
    limit: Annotated[int, typer.Option(min=1, max=500, help="The most that are listed.")] = 20,
    cursor: Annotated[str | None, typer.Option(help="Go on after another list, which says how.")] = None,
    json: AsJson = False,
) -> None:
    """List experiments, the newest first."""
    filters = filters_of(where, query) | {"study": study}
    with service_client() as client:
        page = client.experiments_page(**filters, sort=sort, limit=limit, cursor=cursor)
    show(page, pictures.experiments_table(page["items"]), as_json=json)
    if not json and page["next_cursor"]:
        say(f"There are more: --cursor {page['next_cursor']}")


@app.command("show")
def show_experiment(id: Id, json: AsJson = False) -> None:
    """Print the state, the figures and the spec of an experiment in short; --json prints all of it."""
    with service_client() as client:
        experiment = client.experiment(id)
        if json:
            write_json(experiment)
            return
        epochs = client.metrics(id)["items"]
    show(experiment, pictures.experiment_fields(experiment, epochs), as_json=False)


@app.command()
def watch(ids: SomeIds, json: AsJson = False) -> None:
    """Follow experiments until all have ended: epochs, and a sparkline of the validation accuracy. With --json, print
    each event on a line."""
    with service_client() as client:
        ended = live.lines(client, ids) if json else live.experiments(client, ids)
    _judge(ended)


@app.command()
def log(
    id: Id,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the experiment has ended.")] = False,
    json: AsJson = False,
) -> None:
    """Print the end of the log of the newest attempt. With --json, print the attempts, or with -f a line for each
    piece."""
    with service_client() as client:
        if follow:
            for attempt, text in logs.follow(client, id):
                write_line({"attempt": attempt, "text": text}) if json else typer.echo(text, nl=False)
        elif json:
            write_json({"items": client.attempts(id)})
        else:
            client.experiment(id)  # 404 for an unknown one
            newest = logs.newest_attempt(client, id)
            typer.echo("" if newest is None else newest["log_tail"], nl=False)


@app.command()
def metrics(
    id: Id,
    since: Annotated[int | None, typer.Option(min=0, help="Only epochs that changed after this revision.")] = None,
    json: AsJson = False,
) -> None:
    """Print the figures of each epoch, with a sparkline of each figure."""
    with service_client() as client:
        answer = client.metrics(id, since=since)
    picture = pictures.epochs_table(answer["items"]) if answer["items"] else Text("It has no finished epoch yet.")
    show(answer, picture, as_json=json)


@app.command()
def weights(
    id: Id,
    file: Annotated[Path, typer.Argument(help="The file to write, in the format of safetensors.")],
    best: Annotated[
        bool, typer.Option("--best", help="Those of the lowest validation loss, in place of the last epoch's.")
    ] = False,
) -> None:
    """Download the weights of an experiment that succeeded."""
    with service_client() as client:
        say(f"{client.weights(file, id, which='best' if best else 'last')} is written.")


@app.command()
def tag(
    id: Id,
    add: Annotated[list[str] | None, typer.Option(help="A tag to add; it can be repeated.")] = None,
    remove: Annotated[list[str] | None, typer.Option(help="A tag to remove; it can be repeated.")] = None,
    json: AsJson = False,
) -> None:
    """Add tags to an experiment, or remove them, and print those that it has then."""
    with service_client() as client:
        experiment: Json = client.experiment(id)
        if add or remove:
            kept = [name for name in experiment["tags"] if name not in (remove or [])]
            experiment = _edited(client, experiment, {"tags": list(dict.fromkeys([*kept, *(add or [])]))})
    show(experiment, Text("\n".join(experiment["tags"])), as_json=json)


@app.command()
def note(
    id: Id,
    text: Annotated[
        str | None, typer.Argument(help="The new note, in place of the old one; - reads it from standard input.")
    ] = None,
    editor: Annotated[bool, typer.Option("--edit", help="Edit the note in the editor that EDITOR names.")] = False,
    json: AsJson = False,
) -> None:
    """Print the note of an experiment, or change it."""
    if editor and text is not None:
        raise typer.BadParameter("give either a text or --edit")
    with service_client() as client:
        experiment: Json = client.experiment(id)
        if editor:
            text = edit(experiment["notes"] or "")
        if text is not None:
            new = sys.stdin.read().strip() if text == "-" else text
            experiment = _edited(client, experiment, {"notes": new or None})
    show(experiment, Text(experiment["notes"] or ""), as_json=json)


@app.command()
def cancel(
    ids: Ids = None,
    study: Study = None,
    where: Where = None,
    query: Query = None,
    dry_run: DryRun = False,
    json: AsJson = False,
) -> None:
    """Cancel the experiments with these ids, or all that match the filters."""
    _change("cancel_experiments", ids, _filters(study, where, query), dry_run, "cancelled", json)


@app.command()
def delete(
    ids: Ids = None,
    study: Study = None,
    where: Where = None,
    query: Query = None,
    dry_run: DryRun = False,
    json: AsJson = False,
) -> None:
    """Delete the experiments with these ids, or all that match the filters, of those that have ended."""
    _change("delete_experiments", ids, _filters(study, where, query), dry_run, "deleted", json)


@app.command()
def retry(
    ids: Ids = None,
    study: Study = None,
    where: Where = None,
    query: Query = None,
    dry_run: DryRun = False,
    json: AsJson = False,
) -> None:
    """Queue the experiments with these ids again, or all that match the filters, of those that have ended."""
    _change("retry_experiments", ids, _filters(study, where, query), dry_run, "queued again", json)


@app.command()
def archive(
    ids: Ids = None,
    study: Study = None,
    where: Where = None,
    query: Query = None,
    dry_run: DryRun = False,
    json: AsJson = False,
) -> None:
    """Archive the experiments with these ids, or all that match the filters, of those that have ended: lists leave them
    out."""
    _change("archive_experiments", ids, _filters(study, where, query), dry_run, "archived", json)


@app.command()
def restore(
    ids: Ids = None,
    study: Study = None,
    where: Where = None,
    query: Query = None,
    dry_run: DryRun = False,
    json: AsJson = False,
) -> None:
    """Restore the archived experiments with these ids, or all that match the filters."""
    _change("archive_experiments", ids, _filters(study, where, query), dry_run, "restored", json, archived=False)


def _judge(experiments: Sequence[Json]) -> None:
    """Exit with status 3, and the reasons on stderr, unless all experiments succeeded."""
    unsuccessful = [experiment for experiment in experiments if experiment["status"] != "succeeded"]
    for experiment in unsuccessful:
        parts = (experiment["id"], experiment["status"], experiment["detail"], experiment["remedy"])
        say(" ".join(part for part in parts if part))
    if unsuccessful:
        raise typer.Exit(ENDED_BADLY)


def _edited(client: Client, experiment: Json, changes: dict[str, Any]) -> Json:
    """Change an experiment unless somebody else has edited it since it was read."""
    edited: Json = client.edit_experiment(experiment["id"], changes, edit_version=experiment["edit_version"])
    return edited


def _filters(study: str | None, where: list[str] | None, query: str | None) -> dict[str, Any]:
    return filters_of(where, query) | ({} if study is None else {"study": study})


def _change(
    method: str,
    ids: list[str] | None,
    filters: dict[str, Any],
    dry_run: bool,
    participle: str,
    as_json: bool,
    **arguments: Any,
) -> None:
    """Change many experiments. Of ids, each that does not exist or is in a wrong state makes the exit status 1."""
    if bool(ids) == bool(filters):
        raise typer.BadParameter("give either ids, or --study, --where or --query")
    with service_client() as client:
        answer = getattr(client, method)(ids or None, dry_run=dry_run, **arguments, **filters)
    if as_json:
        write_json(answer)
    say(changed(answer["count"], participle, dry_run=dry_run))
    left = len({*(ids or [])}) - answer["count"]
    if ids and left > 0:
        say(f"Of the ids, {left} {'is' if left == 1 else 'are'} of no experiment, or its state does not allow it.")
        raise typer.Exit(REFUSED)


def changed(count: int, participle: str, *, dry_run: bool) -> str:
    """Return a sentence about how many experiments a command has changed, or would change."""
    would = "would be" if dry_run else "is" if count == 1 else "are"
    return f"{count} {'experiment' if count == 1 else 'experiments'} {would} {participle}."


def export(
    file: Annotated[Path, typer.Argument(help=f"A file whose name ends in {', '.join(EXPORTS)}.")],
    study: Study = None,
    grid: Annotated[str | None, typer.Option(help="Only this grid, for a study with several.")] = None,
    rows: Annotated[ExportRows, typer.Option(help="What each row is about.")] = "experiments",
    where: Where = None,
    query: Query = None,
) -> None:
    """Export the experiments that have ended into a file."""
    if grid is not None and (study is None or where or query):
        raise typer.BadParameter("--grid goes with --study, and not with --where or --query")
    filters = filters_of(where, query) if grid is None else {"grid": grid}
    with service_client() as client:
        say(f"{client.export(file, study=study, rows=rows, **filters)} is written.")
