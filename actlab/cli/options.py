"""The options that stand before every command, and those that several commands share."""

from collections import defaultdict
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Annotated, Any

import typer

OK, REFUSED, MISUSED, ENDED_BADLY = 0, 1, 2, 3
"""The exit codes of every command: done; the service refused, failed or is unreachable; wrong usage; what was waited
for or checked ended badly."""

EXIT_CODES = (
    "Exit codes: 0 done; 1 the service refused, failed or cannot be reached; 2 wrong usage; 3 what was waited for or"
    " checked ended badly."
)


@dataclass(frozen=True)
class GlobalOptions:
    """The options before the command: the URL of the service, and whether answers are printed as JSON."""

    url: str | None = None
    json: bool = False


NONE = GlobalOptions()
_current: ContextVar[GlobalOptions] = ContextVar("options", default=NONE)


def set_global(options: GlobalOptions) -> None:
    _current.set(options)


def service_url() -> str | None:
    """Return the URL that was given before the command; None where the configuration decides."""
    return _current.get().url


def _json_anywhere(value: bool) -> bool:
    return value or _current.get().json


AsJson = Annotated[
    bool, typer.Option("--json", help="Print the API's answer as JSON.", callback=_json_anywhere, show_default=False)
]
"""`--json` after the command, which is true too where it stands before it."""

WHERE = "A filter as NAME=VALUE, such as activation=relu. It can be repeated; of one name, any of the values matches."

Where = Annotated[list[str] | None, typer.Option(help=WHERE)]

QUERY = (
    "A condition in the query language, such as \"test_accuracy > 0.9 AND NOT tag = 'draft'\"; it holds together with"
    " the other filters."
)

Query = Annotated[str | None, typer.Option("--query", metavar="TEXT", help=QUERY)]


def filters_of(texts: list[str] | None, query: str | None = None) -> dict[str, Any]:
    """Return the value of each filter of `--where`, a list where it has several, of which any may match; and that of
    `--query`."""
    filters: dict[str, list[str]] = defaultdict(list)
    for text in texts or []:
        name, value = name_and_value(text, "--where")
        if name == "study":
            raise typer.BadParameter("give a study as --study ID", param_hint="--where")
        filters[name].append(value)
    if query is not None:
        filters["query"].append(query)
    return {name: values[0] if len(values) == 1 else values for name, values in filters.items()}


def name_and_value(text: str, option: str) -> tuple[str, str]:
    """Return the two parts of NAME=VALUE. Raises typer.BadParameter for another text."""
    name, sign, value = text.partition("=")
    if not (name and sign):
        raise typer.BadParameter(f"{name or value!r}: write it as NAME=VALUE", param_hint=option)
    return name, value
