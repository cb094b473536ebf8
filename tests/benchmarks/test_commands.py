"""The benchmarks start as commands and explain themselves."""

from importlib import import_module
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import benchmarks

FOLDER = Path(benchmarks.__path__[0])
MODULES = {file.stem: file.stem for file in FOLDER.glob("*.py") if 'if __name__ == "__main__":' in file.read_text()}
PACKAGES = {file.parent.name: f"{file.parent.name}.__main__" for file in FOLDER.glob("*/__main__.py")}
COMMANDS = sorted((MODULES | PACKAGES).items())


@pytest.mark.parametrize(("name", "module"), COMMANDS)
def test_command_shows_its_help(name: str, module: str) -> None:
    app = typer.Typer()
    app.command()(import_module(f"benchmarks.{module}").main)
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0, result.output
    assert "Usage:" in result.output


def test_commands_are_all_documented() -> None:
    docs = "".join(file.read_text() for file in (Path(benchmarks.__path__[0]).parent / "docs").glob("*.md"))
    assert [name for name, _ in COMMANDS if f"python -m benchmarks.{name}" not in docs] == []
