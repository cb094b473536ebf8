"""The units of deploy/systemd: accepted by systemd, and with settings that exist."""

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from service.settings import Settings
from tests.conftest import ROOT
from tests.servers import missing

FOLDER = ROOT / "deploy" / "systemd"
UNITS = sorted(FOLDER.glob("*.service"))
each_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)


def read(unit: Path) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[method-assign,assignment]  # names of options have capitals
    parser.read_string(unit.read_text())
    return parser


def test_units_are_those_of_an_installation() -> None:
    assert [unit.name for unit in UNITS] == ["actlab-api.service", "actlab-migrate.service", "actlab-worker@.service"]


@each_unit
def test_unit_runs_an_actlab_command_without_privileges(unit: Path) -> None:
    service = read(unit)["Service"]
    program, *command = service["ExecStart"].split()
    assert program == "/opt/actlab/bin/actlab"
    assert command in (["serve"], ["worker"], ["db", "upgrade"])
    assert service["User"] == "actlab"
    assert service["NoNewPrivileges"] == "true"
    assert service["ProtectSystem"] == "strict"
    assert service["StateDirectory"] == "actlab"  # which it may write, and which is ACTLAB_HOME


@each_unit
def test_systemd_accepts_the_unit(unit: Path, tmp_path: Path) -> None:
    if missing("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    for other in UNITS:
        text = other.read_text().replace("/opt/actlab/bin/actlab", str(shutil.which("true")))
        (tmp_path / other.name).write_text(text)
    name = unit.name.replace("@.", "@gpu0.")
    if name != unit.name:
        shutil.copy(tmp_path / unit.name, tmp_path / name)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", tmp_path / name], capture_output=True, text=True, timeout=60
    )
    ours = [line for line in done.stderr.splitlines() if "actlab" in line]
    assert ours == []


def test_variables_are_settings() -> None:
    lines = (FOLDER / "actlab.env").read_text().splitlines()
    variables = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert variables["ACTLAB_HOME"] == "/var/lib/actlab"
    assert not variables["PGPASSWORD"]
    for name in variables:
        assert name == "PGPASSWORD" or name.removeprefix("ACTLAB_").lower() in Settings.model_fields
