"""The gain of a log whose beginning is cut off."""

import pytest

from actlab.cli.logs import gain


@pytest.mark.parametrize(
    ("older", "newer", "gained"),
    [
        ("", "a\nb\n", "a\nb\n"),
        ("a\n", "a\n", ""),
        ("a\n", "a\nb\n", "b\n"),
        ("a\nb\n", "b\nc\n", "c\n"),
        ("a\na\nb\n", "a\nb\nc\n", "c\n"),
        ("a\nb\n", "x\ny\n", "x\ny\n"),
        ("a\nb\n", "", ""),
    ],
    ids=["first", "unchanged", "grown", "cut off", "equal lines", "all new", "emptied"],
)
def test_gain_is_what_the_newer_end_of_a_log_has_after_the_older_one(older: str, newer: str, gained: str) -> None:
    assert gain(older, newer) == gained
