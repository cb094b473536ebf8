"""The guards of guards.py: they match the source, and a test fails without each of them.

`python -m tests.mutants` runs the nightly test by hand.
"""

import re

import pytest

from tests.mutants.gate import ROOT, Edit, GateError, Guard, mutated, run
from tests.mutants.guards import GUARDS


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_guards_match_the_source(guard: Guard) -> None:
    for edit in guard.edits:
        text = (ROOT / edit.file).read_text()
        assert mutated(text, edit) != text


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_guards_name_tests_that_exist(guard: Guard) -> None:
    for test in guard.tests:
        file, _, case = test.partition("::")
        name = case.partition("[")[0]
        assert re.search(rf"^def {name}\(", (ROOT / file).read_text(), re.MULTILINE), test


def test_guards_have_distinct_names() -> None:
    assert len({guard.name for guard in GUARDS}) == len(GUARDS)


@pytest.mark.parametrize("text", ["", "guard guard"])
def test_mutated_refuses_a_text_that_is_not_there_once(text: str) -> None:
    with pytest.raises(GateError, match="instead of once"):
        mutated(text, Edit("file.py", "guard", ""))


@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_run_finds_no_guard_that_no_test_holds() -> None:
    verdicts = run(GUARDS, print)  # shown when it fails
    assert [verdict.guard for verdict in verdicts if verdict.caught_by is None] == []
