"""The build of torch that set-up installs: PyTorch's CPU build where it fits and its index answers."""

import base64
import hashlib
import http.server
import os
import re
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.conftest import ROOT

SCRIPT = ROOT / "scripts" / "cpu_torch.py"
PATIENCE_SECONDS = 3.0
"""The most time that set-up may lose where the index does not answer."""


@pytest.fixture(scope="module")
def script() -> Any:
    spec = spec_from_file_location("cpu_torch", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def silent() -> Iterator[str]:
    """Yield the URL of an index that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/whl/cpu"


@contextmanager
def refusing() -> Iterator[str]:
    with silent() as url:
        pass
    yield url


@contextmanager
def dripping() -> Iterator[str]:
    """Yield the URL of an index whose answer comes drop by drop, each within the timeout of a socket."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ended = threading.Event()

        def drip() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while not ended.wait(0.2):
                    connection.sendall(b"X-Drop: 1\r\n")

        thread = threading.Thread(target=drip)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/whl/cpu"
        ended.set()
        thread.join()


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Yield the URL of an index that serves the files of a folder."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *parts: Handler(*parts, directory=str(folder))
    ) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/whl/cpu"
        server.shutdown()
        thread.join()


def make_index(folder: Path, version: str) -> None:
    """Write an index of packages with one wheel, of a torch that has nothing but its version."""
    page = folder / "whl" / "cpu" / "torch"
    page.mkdir(parents=True)
    info = f"torch-{version}.dist-info"
    files = {
        "torch/__init__.py": f"__version__ = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: torch\nVersion: {version}\nRequires-Dist: absent-library\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},sha256={_digest(text)},{len(text)}\n" for name, text in files.items())
    wheel = page / f"torch-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(name, text)
    (page / "index.html").write_text(f'<a href="{wheel.name.replace("+", "%2B")}">{wheel.name}</a>')


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@pytest.mark.parametrize("index", [silent, refusing, dripping])
def test_answers_gives_up_on_an_index_in_time(script: Any, index: Any) -> None:
    with index() as url:
        started = time.monotonic()
        assert not script.answers(url)
        assert time.monotonic() - started < PATIENCE_SECONDS


def test_answers_takes_an_index_that_serves_torch(script: Any, tmp_path: Path) -> None:
    make_index(tmp_path, "1.0")
    with serving(tmp_path) as url:
        assert script.answers(url)
        assert not script.answers(f"{url}/elsewhere")
    assert not script.answers("no URL")


@pytest.mark.parametrize("path", ["proc/driver/nvidia/version", "dev/nvidia0"])
def test_has_gpu_looks_for_the_driver_and_its_devices(
    script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not script.has_gpu(tmp_path)
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.touch()
    assert script.has_gpu(tmp_path)


def test_has_gpu_looks_for_the_program_of_the_driver(
    script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert script.has_gpu(tmp_path)


def test_not_needed_gives_the_reason(script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(script.sys, "platform", "linux")
    monkeypatch.setattr(script.importlib.util, "find_spec", lambda name: None)
    assert script.not_needed(tmp_path) is None
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "nvidia0").touch()
    assert "GPU" in script.not_needed(tmp_path)
    monkeypatch.setattr(script.importlib.util, "find_spec", lambda name: object())
    assert script.not_needed(tmp_path) == "torch is installed"
    monkeypatch.setattr(script.sys, "platform", "darwin")
    assert "this system" in script.not_needed(tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no other build")
def test_cpu_torch_installs_the_pinned_version_and_leaves_it_alone(script: Any, tmp_path: Path) -> None:
    if script.has_gpu():
        pytest.skip("this machine has a GPU")
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    pinned = re.findall(r"^torch==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)[0]
    make_index(tmp_path / "index", f"{pinned}+cpu")

    with silent() as url:
        assert "usual index" in run(python, url)
    assert not has_torch(python)
    make_index(tmp_path / "old", "0.1")
    with serving(tmp_path / "old") as url:
        assert "usual index" in run(python, url).splitlines()[-1]
    assert not has_torch(python)
    with serving(tmp_path / "index") as url:
        assert run(python, url) == ""
    assert has_torch(python)
    with silent() as url:
        assert "torch is installed" in run(python, url)


def run(python: Path, index: str) -> str:
    """Run the script with the usual settings of pip hidden, and return what it says."""
    hidden = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
    variables = {**hidden, "PIP_CONFIG_FILE": os.devnull}
    done = subprocess.run([python, SCRIPT, index], env=variables, capture_output=True, text=True, check=True)
    return done.stderr


def has_torch(python: Path) -> bool:
    question = "import importlib.util; print(importlib.util.find_spec('torch') is not None)"
    return subprocess.check_output([python, "-I", "-c", question], text=True).strip() == "True"
