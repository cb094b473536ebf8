"""`actlab activation`: the functions of the catalogue, and registered formulas."""

from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from actlab.cli import activation_pictures, completion
from actlab.cli.common import service_client
from actlab.cli.options import AsJson, name_and_value
from actlab.cli.output import console, say, show, write_json
from actlab.cli.specs import json_or_text

app = typer.Typer(help="Activation functions: list, show, plot, try, register, archive.", no_args_is_help=True)

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="A name of the catalogue or of a registered formula.",
        autocompletion=completion.activations,
    ),
]
Formula = Annotated[str, typer.Argument(metavar="FORMULA", help="A formula such as 'x * sigmoid(a * x)'.")]
Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter",
        metavar="NAME=VALUE",
        help="A parameter, as a=1, or a=1,learnable for one that is trained; it can be repeated.",
    ),
]
Plot = Annotated[bool, typer.Option("--plot", help="Draw f and f' too.")]


@app.command("list")
def list_activations(
    archived: Annotated[bool, typer.Option("--archived", help="Include archived formulas.")] = False,
    json: AsJson = False,
) -> None:
    """List the catalogue, and then the registered formulas in their newest versions."""
    with service_client() as client:
        activations = client.activations(archived=archived)
    answer = {"items": activations, "next_cursor": None}
    show(answer, activation_pictures.activations_table(activations), as_json=json)


@app.command("show")
def show_activation(
    name: Name,
    plot: Plot = False,
    version: Annotated[int | None, typer.Option(min=1, help="The version of a registered formula.")] = None,
    json: AsJson = False,
) -> None:
    """Print the formula, the derivative and the properties of a function."""
    with service_client() as client:
        activation = client.activation(name, version=version)
        curve = client.curve(name, version=version) if plot and not json else None
    _show(activation, activation_pictures.activation_fields(activation), curve, json)


@app.command()
def preview(formula: Formula, parameter: Parameters = None, plot: Plot = False, json: AsJson = False) -> None:
    """Print the derivative, the properties and the cost of a formula. Nothing is stored."""
    with service_client() as client:
        answer = client.preview_activation({"formula": formula, "parameters": _parameters(parameter)})
    _show(answer, activation_pictures.preview_fields(answer), answer["curve"] if plot else None, json)


@app.command()
def register(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name of small letters, digits and underscores.")],
    formula: Formula,
    parameter: Parameters = None,
    note: Annotated[str | None, typer.Option(help="Its purpose.")] = None,
    new_version: Annotated[
        bool, typer.Option("--new-version", help="Give a name that is registered its next version.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Register a formula under a name for specs to use."""
    definition = {"formula": formula, "parameters": _parameters(parameter), "note": note}
    with service_client() as client:
        write = client.edit_activation if new_version else client.register_activation
        activation = write(name, definition)
    if json:
        write_json(activation)
    say(f"{name} is registered, in version {activation['version']}.")


@app.command()
def archive(name: Name) -> None:
    """Archive a registered name: lists leave it out, and new specs cannot use it."""
    with service_client() as client:
        client.archive_activation(name)
    say(f"{name} is archived; `actlab activation register --new-version` makes it active again.")


def _show(answer: Any, description: RenderableType, curve: Any, as_json: bool) -> None:
    if curve is not None and not as_json:
        description = Group(description, Text(), activation_pictures.plotted(curve, console().width))
    show(answer, description, as_json=as_json)


def _parameters(texts: list[str] | None) -> dict[str, Any]:
    """Return parameters of a formula from NAME=VALUE or NAME=VALUE,learnable."""
    parameters: dict[str, Any] = {}
    for text in texts or []:
        name, value = name_and_value(text, "--parameter")
        number, comma, word = value.partition(",")
        if comma and word != "learnable":
            raise typer.BadParameter(
                f"{text}: write it as NAME=VALUE or NAME=VALUE,learnable", param_hint="--parameter"
            )
        parameters[name] = {"value": json_or_text(number), "learnable": bool(comma)}
    return parameters
