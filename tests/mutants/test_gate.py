"""Every guard is held by a test; see guards.py for the table and `python -m tests.mutants` for the same by hand."""

import pytest

from tests.mutants.gate import ROOT, Edit, GateError, Guard, mutated, run
from tests.mutants.guards import GUARDS


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_each_guard_stands_where_the_table_says(guard: Guard) -> None:
    for edit in guard.edits:
        text = (ROOT / edit.file).read_text()
        assert mutated(text, edit) != text


def test_every_guard_has_a_name_of_its_own() -> None:
    assert len({guard.name for guard in GUARDS}) == len(GUARDS)


@pytest.mark.parametrize("text", ["", "guard guard"])
def test_a_table_that_has_rotted_fails(text: str) -> None:
    with pytest.raises(GateError, match="instead of once"):
        mutated(text, Edit("file.py", "guard", ""))


@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_no_guard_can_be_dropped_unseen() -> None:
    verdicts = run(GUARDS, print)  # shown when it fails
    assert [verdict.guard for verdict in verdicts if verdict.caught_by is None] == []
