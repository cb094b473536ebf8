"""Every guard is held by a test; see guards.py for the table and `python -m tests.mutants` for the same by hand."""

import pytest

from tests.mutants.gate import ROOT, Edit, GateError, Guard, mutated, run
from tests.mutants.guards import GUARDS


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_guards_match_the_source(guard: Guard) -> None:
    for edit in guard.edits:
        text = (ROOT / edit.file).read_text()
        assert mutated(text, edit) != text


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
