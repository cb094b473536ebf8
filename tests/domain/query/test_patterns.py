"""Patterns of LIKE, and what databases take them as."""

import pytest

from service.domain.query.patterns import as_glob, as_like, matches


@pytest.mark.parametrize(
    ("pattern", "like", "glob"),
    [("a%_", "a%_", "a*?"), ("a\\%b", "a\\%b", "a%b"), ("a\\b\\", "a\\\\b\\\\", "a\\b\\"), ("*?[", "*?[", "[*][?][[]")],
    ids=["wildcards", "escaped", "plain backslashes", "wildcards of GLOB"],
)
def test_pattern_is_written_for_each_database(pattern: str, like: str, glob: str) -> None:
    assert (as_like(pattern), as_glob(pattern)) == (like, glob)


def test_matches_heeds_wildcards_escapes_and_case() -> None:
    assert matches("sw%_h", "swish", ignore_case=False)
    assert not matches("SW%", "swish", ignore_case=False)
    assert matches("SW%", "swish", ignore_case=True)
    assert matches("50\\%", "50%", ignore_case=False)
    assert not matches("50\\%", "50x", ignore_case=False)
