"""Commands about a study or an experiment, whichever has the id: `actlab diff` and `actlab open`."""

import webbrowser
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.text import Text

from actlab.cli import completion
from actlab.cli.common import service_client
from actlab.cli.options import AsJson
from actlab.cli.output import Json, say, show
from actlab.cli.pictures import differences_table
from actlab.client import ApiError, Client

SPEC = {"experiments": ("spec",), "studies": ("base", "factors", "grids", "seeds", "tuning", "reference")}
"""The fields that say what a record asks for."""
OUTCOME = {
    "experiments": ("status", "epochs_done", "test_accuracy", "test_loss", "best_epoch", "best_test_accuracy",
                    "best_test_loss", "validation_accuracy", "validation_loss", "seconds", "images_per_second"),
    "studies": ("experiments", "progress", "finished"),
}  # fmt: skip
"""The fields that say what came out."""

Id = Annotated[str, typer.Argument(metavar="ID", autocompletion=completion.records)]


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help="An experiment or a study.", autocompletion=completion.records)],
    b: Annotated[str, typer.Argument(metavar="B", help="Another one.", autocompletion=completion.records)],
    json: AsJson = False,
) -> None:
    """Print the fields in which two experiments or two studies differ: the specs, and then the outcomes. With --json,
    both records and the values of each field that differs."""
    with service_client() as client:
        (kind, first), (other, second) = find(client, a), find(client, b)
    if kind != other:
        raise typer.BadParameter("give two experiments or two studies")
    differences = _differences(first, second, (*SPEC[kind], *OUTCOME[kind]))
    picture = differences_table(differences) if differences else Text("They do not differ.")
    show({"a": first, "b": second, "differences": differences}, picture, as_json=json)


def open_page(
    id: Annotated[
        str | None,
        typer.Argument(help="A study or an experiment; default: the start page.", autocompletion=completion.records),
    ] = None,
    only_print: Annotated[bool, typer.Option("--print", help="Print the address and open nothing.")] = False,
) -> None:
    """Open the page of a study or an experiment in the browser; where there is none, print its address."""
    with service_client() as client:
        path = "" if id is None else "/".join((find(client, id)[0], id))
        # Relative to the service's URL, which may have a path of its own.
        address = client.address(path)
    if only_print or not webbrowser.open(address):
        typer.echo(address)
    else:
        say(f"{address} is opened.")


def find(client: Client, id: str) -> tuple[str, Json]:
    """Return the kind and the record of an id: `studies` or `experiments`. Raises ApiError for an id of neither."""
    try:
        return "studies", client.study(id)
    except ApiError as error:
        if error.status != 404:
            raise
    return "experiments", client.experiment(id)


def _differences(a: Json, b: Json, names: tuple[str, ...]) -> dict[str, list[Any]]:
    """Return both values of each dotted path below these fields whose values differ."""
    first, second = (dict(_leaves({name: record[name] for name in names})) for record in (a, b))
    paths = [*first, *(path for path in second if path not in first)]
    return {path: [first.get(path), second.get(path)] for path in paths if first.get(path) != second.get(path)}


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, part in value.items():
            yield from _leaves(part, f"{path}.{name}" if path else name)
    else:
        yield path, value
