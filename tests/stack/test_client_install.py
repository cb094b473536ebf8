"""An installation with the base dependencies alone: the Python client and the command, small and quick to import.

`pytest -m slow -s tests/stack/test_client_install.py` prints the size and the time.
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from service.settings import Settings
from tests.api import states
from tests.api.serving import listening
from tests.conftest import ROOT

LARGEST_MB = 30
"""The most megabytes (10^6 bytes) of all that is installed, and of its libraries with what Python compiles of them."""
OURS = {"actlab", "service", "worker", "migrations"}
LONGEST_SECONDS = 0.3
"""The most processor time of `from actlab import Client`, which other programs on the machine hardly change."""

IMPORT = """
import time
started = time.process_time()
from actlab import Client
print(time.process_time() - started)
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment with the locked versions of the client's libraries, and ActLab from its wheel."""
    folder = tmp_path_factory.mktemp("client") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", f"--wheel-dir={folder}"]
    subprocess.run([*pip, "wheel", *options, str(ROOT)], check=True, cwd=folder)
    (wheel,) = folder.glob("actlab-*.whl")
    # The pip of this environment installs into the other one, which holds then what a client needs and nothing else.
    install = [*pip, f"--python={folder}", "install"]
    lock = ROOT / "locks" / "client.txt"
    subprocess.run([*install, "--require-hashes", "--no-deps", f"--requirement={lock}"], check=True)
    subprocess.run([*install, "--no-index", str(wheel)], check=True)  # fails where the lock leaves a library out
    return folder


@pytest.fixture
def run(environment: Path, tmp_path: Path) -> Run:
    """Run a program of the environment in an empty folder, without variables of this process's Python and settings."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("ACTLAB_", "PYTHON"))}

    def run(program: str, *words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        command = [str(environment / "bin" / program), *words]
        return subprocess.run(
            command, env=own | variables, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
        )

    return run


def test_client_install_is_small(environment: Path) -> None:
    (packages,) = environment.glob("lib/python*/site-packages")
    files = {file: file.stat().st_size / 1e6 for file in packages.rglob("*") if file.is_file()}
    ours = sum(size for file, size in files.items() if file.relative_to(packages).parts[0].split("-")[0] in OURS)
    compiled = sum(size for file, size in files.items() if file.suffix == ".pyc")
    total = sum(files.values())
    sys.stdout.write(
        f"\nAn installation of the client has {total - compiled:.1f} MB, and {total:.1f} MB with what Python compiles;"
        f" {total - ours:.1f} MB of it are libraries.\n"
    )
    assert total - compiled < LARGEST_MB
    assert total - ours < LARGEST_MB
    for library in ("sqlalchemy", "fastapi", "numpy", "pyarrow", "matplotlib", "torch"):
        assert not (packages / library).exists()


def test_client_imports_quickly(run: Run) -> None:
    run("python", "-c", IMPORT)  # compiles what is not compiled yet
    times = [float(run("python", "-c", IMPORT).stdout) for _ in range(7)]
    median = statistics.median(times)
    sys.stdout.write(f"\n`from actlab import Client` takes {median:.3f} s of processor time.\n")
    assert median < LONGEST_SECONDS


def test_client_install_has_a_command_that_explains_itself(run: Run) -> None:
    help = run("actlab", "--help")
    assert help.returncode == 0
    assert all(group in help.stdout for group in ("study", "experiment", "export"))


@states.on_sqlite
def test_client_install_talks_to_a_service(run: Run, settings: Settings) -> None:
    with listening(settings) as url:
        submit = (
            "import json; from actlab import Client\n"
            "with Client() as client:\n"
            "    study = client.submit_study({'base': {'activation': 'relu'}, 'name': 'small', 'seeds': [0]})\n"
            "    print(json.dumps(study['id']))\n"
        )
        submitted = run("python", "-c", submit, ACTLAB_URL=url)
        assert submitted.returncode == 0, submitted.stderr
        listed = run("actlab", "study", "list", ACTLAB_URL=url)
    assert json.loads(submitted.stdout) in listed.stdout
    assert "small" in listed.stdout


def test_client_install_names_the_extra_of_a_command(run: Run) -> None:
    done = run("actlab", "serve")
    assert (done.returncode, done.stdout) == (1, "")
    assert "pip install 'actlab[server]'" in done.stderr
    assert done.stderr.count("\n") == 1
