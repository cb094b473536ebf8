"""The package `actlab`: its names, and what importing it costs."""

import subprocess
import sys
from importlib.resources import files

import pytest

import actlab
from tests.conftest import ROOT


@pytest.mark.parametrize("name", actlab.__all__)
def test_package_exports_its_names(name: str) -> None:
    assert getattr(actlab, name).__name__ == name


def test_package_has_no_other_names() -> None:
    with pytest.raises(AttributeError, match="Nothing"):
        actlab.Nothing  # noqa: B018  # the access is what raises
    assert dir(actlab) == actlab.__all__


def test_package_is_typed() -> None:
    assert (files("actlab") / "py.typed").is_file()


@pytest.mark.parametrize(
    ("statement", "unused"),
    [
        ("import actlab", {"httpx2", "tenacity", "rich"}),
        ("from actlab import Client", {"rich", "typer", "tenacity"}),
    ],
    ids=["package", "client"],
)
def test_package_imports_no_heavy_library(statement: str, unused: set[str]) -> None:
    heavy = {
        "pandas",
        "polars",
        "pyarrow",
        "matplotlib",
        "numpy",
        "torch",
        "pydantic",
        "sqlalchemy",
        "service",
        "worker",
    }
    program = f"import sys; {statement}; print(*sorted({heavy | unused!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
