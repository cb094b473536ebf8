"""Generated values, and the tolerance of comparisons with scipy."""

import pytest
from hypothesis import strategies as st

from service.domain.statistics.summary import describe

# Accuracies over 10,000 test images, as they come.
accuracies = st.integers(0, 10_000).map(lambda correct: correct / 10_000)
groups = st.lists(accuracies, min_size=2, max_size=12).filter(lambda values: len(set(values)) > 1)
# Spread so that scipy does not lose its own precision: no two differences nearly equal.
wide_pairs = st.lists(st.tuples(accuracies, accuracies), min_size=3, max_size=12).filter(
    lambda pairs: describe([a - b for a, b in pairs]).sd not in (None, 0.0)
)
confidences = st.sampled_from([0.95, 0.99, 1 - 0.05 / 45])


def close(expected: float) -> object:
    return pytest.approx(expected, rel=1e-9, abs=1e-12)
