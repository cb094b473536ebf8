"""Linters of OpenAPI documents and a generator of types, which npm installs in a folder of their own."""

import json
import subprocess
from pathlib import Path

import pytest

from service.api.app import create_app
from service.settings import Settings

SPECTRAL, REDOCLY, TYPESCRIPT = "@stoplight/spectral-cli@6.16.3", "@redocly/cli@2.77.0", "openapi-typescript@7.13.0"

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the document and the tools."""
    folder = tmp_path_factory.mktemp("tools")
    (folder / "openapi.json").write_text(json.dumps(create_app(Settings()).openapi()))
    (folder / "package.json").write_text("{}")
    (folder / ".spectral.yaml").write_text('extends: ["spectral:oas"]\n')
    options = ["--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(["npm", "install", *options, SPECTRAL, REDOCLY, TYPESCRIPT], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize(
    "command",
    [
        ["spectral", "lint", "--fail-severity=warn", "openapi.json"],
        ["redocly", "lint", "--max-problems=20", "openapi.json"],
        ["openapi-typescript", "openapi.json", "--output", "api.d.ts"],
    ],
    ids=lambda command: command[0],
)
def test_tools_take_the_document(folder: Path, command: list[str]) -> None:
    run = subprocess.run(["npx", "--no-install", *command], cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "warning" not in run.stdout.lower().replace("0 warnings", "")
