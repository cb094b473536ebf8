"""The table of docs/security.md is the one that tests.threats prints."""

from pathlib import Path

import pytest

from tests import threats

DOCUMENT = (Path(__file__).parents[1] / "docs" / "security.md").read_text()


def test_table_of_the_document_is_current() -> None:
    assert threats.table() in DOCUMENT, "replace the table: python -m tests.threats"


def test_table_needs_a_test_for_each_threat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(threats.THREATS, "untested", ("a threat", "a defence"))
    with pytest.raises(ValueError, match="untested"):
        threats.table()
