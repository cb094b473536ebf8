"""Virtual environments of other trackers, each with one pinned package."""

import subprocess
import sys
from pathlib import Path


class NotInstallable(Exception):
    """Raised where pip cannot install a package here, with the end of pip's output."""


def commands(folder: Path, package: str, version: str) -> Path:
    """Return the folder of commands of a virtual environment with the package; make it where it is missing.

    Raises NotInstallable.
    """
    environment = folder / f"{package}-{version}"
    installed = environment / "installed"
    if not installed.exists():
        _run([sys.executable, "-m", "venv", "--clear", str(environment)], package)
        pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-input"]
        _run([*pip, f"{package}=={version}"], package)
        installed.touch()
    return environment / "bin"


def _run(command: list[str], package: str) -> None:
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise NotInstallable(f"{package} cannot be installed here: {run.stderr.strip()[-300:]}")
