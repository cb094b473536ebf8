"""Fetch the browser libraries that each vendor.json lists and check every file against its sha256.

`python scripts/vendor.py` restores exactly the listed files and refuses any that differ. To take another version or
another file, edit vendor.json, then run it with `--update`, which writes the checksums of what was fetched.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TypedDict

ROOT = Path(__file__).parent.parent
FOLDERS = (ROOT / "service" / "dashboard" / "vendor", ROOT / "tests" / "browser" / "vendor")
"""The libraries of the pages, and those of tests alone."""


class Package(TypedDict):
    name: str
    version: str
    licence: str
    files: dict[str, str]
    """Path inside the package -> sha256. In vendor/<name>/ it has the same path, less a first `dist` or `bundles`."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Fetch the vendored browser libraries again.")
    parser.add_argument("--update", action="store_true", help="write the fetched files' checksums to vendor.json")
    update: bool = parser.parse_args().update
    for folder in FOLDERS:
        restore(folder, update)


def restore(folder: Path, update: bool) -> None:
    """Make the folder hold what its vendor.json lists; with `update`, whatever was published."""
    listed = folder / "vendor.json"
    packages: list[Package] = json.loads(listed.read_text())
    fetched = {package["name"]: fetch(package) for package in packages}
    for package in packages:
        found = {path: hashlib.sha256(data).hexdigest() for path, data in fetched[package["name"]].items()}
        if update:
            package["files"] = found
        elif found != package["files"]:
            sys.exit(f"{package['name']} {package['version']} differs from vendor.json: {differing(package, found)}")
    for name, files in fetched.items():
        write(folder / name, files)
    listed.write_text(json.dumps(packages, indent=2) + "\n")


def fetch(package: Package) -> dict[str, bytes]:
    """The listed files of the published package, by their path in it."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = f"{package['name']}@{package['version']}"
        subprocess.run(["npm", "pack", "--silent", wanted], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        [archive] = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as contents:
            return {path: read(contents, path) for path in package["files"]}


def read(archive: tarfile.TarFile, path: str) -> bytes:
    member = archive.extractfile(f"package/{path}")
    if member is None:
        sys.exit(f"{path} is not a file of the package")
    return member.read()


def differing(package: Package, found: dict[str, str]) -> str:
    return ", ".join(path for path, checksum in found.items() if checksum != package["files"][path])


def write(folder: Path, files: dict[str, bytes]) -> None:
    """Leave these files in the folder and no others, so that one taken off the list goes."""
    shutil.rmtree(folder, ignore_errors=True)
    for path, data in files.items():
        file = folder / inside(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


def inside(path: str) -> str:
    """As service/dashboard/assets.py has it; this script runs without the project."""
    first, _, rest = path.partition("/")
    return rest if first in ("bundles", "dist") else path


if __name__ == "__main__":
    main()
