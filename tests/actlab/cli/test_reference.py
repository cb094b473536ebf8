"""The reference page of the command."""

import re

from typer.main import get_command
from typer.testing import CliRunner

from actlab.cli import reference
from actlab.cli.main import app
from actlab.cli.options import EXIT_CODES
from tests.conftest import ROOT


def test_reference_page_is_current() -> None:
    assert (ROOT / "docs" / "command.md").read_text() == reference.page(), f"write it: {reference.__doc__}"


def test_reference_page_has_every_command() -> None:
    headings = set(re.findall(r"^##+ `actlab (.+)`$", (ROOT / "docs" / "command.md").read_text(), re.MULTILINE))
    commands = get_command(app).commands  # type: ignore[attr-defined]  # a group
    names = {f"{name} {inner}" for name, group in commands.items() for inner in getattr(group, "commands", ())}
    assert names | set(commands) == headings


def test_help_names_the_exit_codes() -> None:
    assert EXIT_CODES in " ".join(CliRunner().invoke(app, ["--help"]).stdout.split())
