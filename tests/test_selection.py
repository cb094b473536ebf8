"""Nightly tests run only where the `-m` expression of a run names them."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT


def collected(*arguments: str) -> list[str]:
    """Return the ids of the tests of tests/mutants/test_gate.py that a run selects."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:xdist", "-o", "addopts=", *arguments]
    done = subprocess.run([*command, "tests/mutants/test_gate.py"], cwd=ROOT, capture_output=True, text=True)
    return [line for line in done.stdout.splitlines() if "::" in line]


@pytest.mark.parametrize("arguments", [(), ("-m", "not slow"), ("-m", "not cuda and not slow")])
def test_selection_leaves_out_nightly_tests(arguments: tuple[str, ...]) -> None:
    selected = collected(*arguments)
    assert selected
    assert not set(selected) & set(collected("-m", "nightly"))


def test_selection_holds_nightly_tests_that_the_expression_names() -> None:
    assert collected("-m", "nightly")
