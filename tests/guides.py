"""The guide, built in a folder of a test with the tool of `make docs`."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT, do_without

TOOL = Path(f"{sys.prefix}-docs") / "bin" / "python"
"""The Makefile's DOCS lies beside the environment of the tests."""


def build_guide(folder: Path) -> Path:
    """Build the guide of this source in a folder and return the folder of its site. Warnings of Zensical are errors."""
    if not TOOL.exists():
        do_without("Zensical is not installed (make docs)")
    for name in ("docs", "scripts/guide.py", "CHANGELOG.md", "zensical.toml"):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, target)
    built = subprocess.run([TOOL, "scripts/guide.py"], cwd=folder, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder / "service" / "dashboard" / "guide_site"
