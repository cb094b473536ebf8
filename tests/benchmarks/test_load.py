"""A service with keys under load, for a shorter time than `python -m benchmarks.load` takes."""

import pytest

from benchmarks import load

GROWTH_BYTES = 30 * load.MIB


@pytest.mark.slow
@pytest.mark.defends("flood")
@pytest.mark.defends("slow")
def test_load_of_twice_the_limit_leaves_what_is_within_it() -> None:
    """Times are not asserted: they are those of a machine that runs other tests."""
    measured = load.measure(seconds=10, keys=4, slow=100)
    assert measured.served == [measured.limit] * 4
    assert measured.statuses == {200: 4 * measured.limit, 429: 4 * measured.limit}
    before, after = measured.memory_bytes
    assert after - before < GROWTH_BYTES
