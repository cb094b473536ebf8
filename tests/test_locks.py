"""The locks: each file that set-up installs has a hash, in the versions of constraints.txt."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCKS = {"client": None, "api": "server", "worker": "worker", "dev": "dev"}
"""The extra of each lock."""


def locked(name: str) -> dict[str, str]:
    """Return the version of each package of a lock."""
    text = (ROOT / "locks" / f"{name}.txt").read_text()
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+) \\$", text, re.MULTILINE))


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def constraints() -> dict[str, str]:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line]
    return {canonical(name): version for name, version in (line.split("==") for line in lines)}


def requirements(extra: str | None) -> list[str]:
    """Return the requirements of the project with an extra, and with those that this extra names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines: list[str] = project["dependencies"] if extra is None else project["optional-dependencies"][extra]
    own = re.findall(r"^actlab\[([a-z,]+)\]$", "\n".join(lines), re.MULTILINE)
    nested = [line for names in own for name in names.split(",") for line in requirements(name)]
    others = [line for line in lines if not line.startswith("actlab[")]
    return [*others, *nested, *(requirements(None) if extra is not None else [])]


@pytest.mark.parametrize("name", LOCKS)
def test_lock_has_the_versions_of_the_constraints(name: str) -> None:
    pinned = constraints()
    others = {package: version for package, version in locked(name).items() if pinned.get(package) != version}
    assert others.keys() <= {"setuptools"}  # which pip leaves out of a list of what is installed


@pytest.mark.parametrize("name", LOCKS)
def test_lock_has_every_requirement_but_torch(name: str) -> None:
    required = {canonical(re.split(r"[^A-Za-z0-9._-]", line)[0]) for line in requirements(LOCKS[name])}
    assert required - {"torch"} <= locked(name).keys()
    assert "torch" not in locked(name)
    assert "actlab" not in locked(name)


def test_lock_of_the_client_has_no_library_of_the_server() -> None:
    assert locked("client").keys() < locked("api").keys()
    assert not locked("client").keys() & {"sqlalchemy", "fastapi", "numpy", "celery"}


@pytest.mark.parametrize("name", [*LOCKS, "tools", "docs"])
@pytest.mark.defends("package")
def test_lock_has_hashes_of_each_package(name: str) -> None:
    text = (ROOT / "locks" / f"{name}.txt").read_text()
    packages = [part for part in re.split(r"\n(?=\S)", text) if "==" in part.partition("\n")[0]]
    assert packages
    assert [part.partition(" ")[0] for part in packages if not re.search(r"--hash=sha256:[0-9a-f]{64}", part)] == []
