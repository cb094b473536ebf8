"""Install torch's CPU build into the environment of this Python, where it is the one that the machine can use.

python scripts/cpu_torch.py INDEX

On Linux, the torch package of the usual index includes CUDA, which takes gigabytes. Without an NVIDIA GPU this installs
the version of constraints.txt from INDEX, PyTorch's own index of CPU builds. It leaves torch to the steps that follow
where there is a GPU, where torch is installed already, and where INDEX does not answer in time.
"""

import importlib.util
import re
import shutil
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

ANSWER_SECONDS = 2.5
"""The most time that the index gets to answer: with the start of Python, a machine that cannot reach it loses 3 s."""
INSTALL_SECONDS = 1800

CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"


def main(index: str) -> None:
    """Install torch from the index if it is needed and the index answers, and say what happens."""
    if (reason := not_needed()) is not None:
        _say(f"torch's CPU build is not asked for: {reason}.")
    elif not answers(index):
        _say(f"{index} does not answer within {ANSWER_SECONDS:g} s: torch comes from the usual index.")
    elif not install(index):
        _say(f"{index} has no torch for this machine: it comes from the usual index.")


def not_needed(root: Path = Path("/")) -> str | None:
    """Return the reason for which torch's CPU build is not to be installed, or None. `root` holds dev and proc."""
    if sys.platform != "linux":
        return "the usual index has one for this system"
    if importlib.util.find_spec("torch") is not None:
        return "torch is installed"
    return "there is an NVIDIA GPU" if has_gpu(root) else None


def has_gpu(root: Path = Path("/")) -> bool:
    """Return whether this machine has an NVIDIA GPU: its driver's program, its driver or its devices are there."""
    driver = (root / "proc" / "driver" / "nvidia").exists()
    return driver or any((root / "dev").glob("nvidia*")) or shutil.which("nvidia-smi") is not None


def answers(index: str, seconds: float = ANSWER_SECONDS) -> bool:
    """Return whether an index serves its page of torch in time.

    A thread asks, because no timeout of a socket limits the search for a name, nor an answer that comes drop by drop.
    """
    served: list[bool] = []
    thread = threading.Thread(
        target=lambda: served.append(_serves(f"{index.rstrip('/')}/torch/", seconds)), daemon=True
    )
    thread.start()
    thread.join(seconds)
    return served == [True]


def _serves(url: str, seconds: float) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=seconds) as answer:
            return bool(answer.read(1))
    except (OSError, ValueError):  # ValueError: no URL
        return False


def install(index: str) -> bool:
    """Install the version of constraints.txt from an index, without its dependencies, and return whether it worked."""
    version = re.search(r"^torch==(\S+)$", CONSTRAINTS.read_text(), re.MULTILINE)
    if version is None:
        raise SystemExit(f"{CONSTRAINTS} has no version of torch.")
    options = ["--disable-pip-version-check", "--no-compile", "--no-deps", "--quiet", "--retries=1", "--timeout=15"]
    command = [sys.executable, "-m", "pip", "install", *options, "--index-url", index, f"torch=={version[1]}"]
    try:
        return subprocess.run(command, check=False, timeout=INSTALL_SECONDS).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
