"""Wrong usage of commands, which is found before any request."""

import pytest
from typer.testing import CliRunner

from actlab.cli.main import app


@pytest.mark.parametrize(
    ("words", "message"),
    [(["submit"], "give a file"), (["submit", "--set", "epochs"], "NAME=VALUE"),
     (["submit", "--set", "activation=relu", "--set", "activation.beta=1"], "has no fields"),
     (["submit", "-"], "is not JSON"), (["list", "--where", "study=1"], "--study ID"), (["watch"], "Missing argument"),
     (["note", "id", "text", "--edit"], "either a text or --edit")],
    ids=["no spec", "no value", "field of a text", "no JSON", "study", "nothing to watch", "two notes"],
)  # fmt: skip
def test_experiment_commands_refuse_wrong_arguments(words: list[str], message: str) -> None:
    refused = CliRunner().invoke(app, ["experiment", *words], input="{")
    assert refused.exit_code == 2
    assert message in " ".join(refused.output.replace("│", " ").split())
