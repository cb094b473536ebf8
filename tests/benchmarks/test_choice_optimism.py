"""`python -m benchmarks.choice_optimism`."""

import pytest

from benchmarks.choice_optimism import Design, choices


def test_choice_on_test_images_is_optimistic_and_on_validation_images_is_not() -> None:
    made = choices(Design("equal", 10, seeds=3), studies=150)
    assert made["test"].optimism > 0.0015
    assert made["validation"].optimism == pytest.approx(0, abs=0.0015)
    assert made["test"].true_loss == made["validation"].true_loss == 0
