"""An installation with the extra `server` alone, which runs the API; torch is for workers."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

ROOT = Path(__file__).parents[2]
START_SECONDS = 30.0  # promised: 5, on a machine that is its own; `benchmarks.footprint` measures it

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a fresh virtual environment that holds ActLab and the libraries of its server."""
    venv = tmp_path_factory.mktemp("server") / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    options = ["--quiet", "--no-compile", f"--constraint={ROOT / 'constraints.txt'}"]
    subprocess.run([venv / "bin" / "python", "-m", "pip", "install", *options, f"{ROOT}[server]"], check=True, cwd=venv)
    return venv / "bin"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment variables without this process's Python and settings, with a home and a free port."""
    variables = {key: value for key, value in os.environ.items() if not key.startswith(("ACTLAB_", "PYTHON"))}
    home = tmp_path_factory.mktemp("home")
    return {**variables, "ACTLAB_HOME": str(home), "ACTLAB_PORT": str(free_port())}


@pytest.fixture
def api(installed: Path, environment: dict[str, str]) -> Iterator[float]:
    """A migrated, running API; yields when it was started, in time.monotonic() seconds."""
    home = environment["ACTLAB_HOME"]
    subprocess.run([installed / "actlab", "db", "upgrade"], check=True, env=environment, cwd=home)
    started = time.monotonic()
    process = subprocess.Popen([installed / "actlab", "serve"], env=environment, cwd=home)
    yield started
    process.terminate()
    process.wait(timeout=30)


def test_server_install_has_no_torch(installed: Path, environment: dict[str, str]) -> None:
    question = "import importlib.util; print(importlib.util.find_spec('torch'))"
    answer = subprocess.check_output([installed / "python", "-c", question], env=environment, text=True)

    assert answer.strip() == "None"


def test_api_answers_soon_after_its_start(api: float, environment: dict[str, str]) -> None:
    url = f"http://127.0.0.1:{environment['ACTLAB_PORT']}/healthz"
    while not answers(url):
        assert time.monotonic() - api < START_SECONDS
        time.sleep(0.05)

    assert time.monotonic() - api < START_SECONDS


def test_package_contains_the_pages(installed: Path, environment: dict[str, str]) -> None:
    question = "from service.dashboard.assets import assets; print(all(path.is_file() for path in assets().values()))"
    home = environment["ACTLAB_HOME"]
    answer = subprocess.check_output([installed / "python", "-c", question], env=environment, cwd=home, text=True)

    assert answer.strip() == "True"


def test_package_contains_the_published_figures(installed: Path, environment: dict[str, str]) -> None:
    question = "from service.domain.comparisons.published import article; print(len(article('kizrak-2019').curves))"
    home = environment["ACTLAB_HOME"]
    answer = subprocess.check_output([installed / "python", "-c", question], env=environment, cwd=home, text=True)

    assert answer.strip() == "5"


def answers(url: str) -> bool:
    try:
        return httpx2.get(url, timeout=1, trust_env=False).status_code == 200
    except httpx2.TransportError:
        return False


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
