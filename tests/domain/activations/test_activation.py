"""The types of the catalogue's rows."""

import pytest

from service.domain.activations.catalogue import CATALOGUE


def test_values_take_the_mean_of_a_random_slope() -> None:
    assert CATALOGUE["rrelu"].values()["slope"] == pytest.approx(11 / 48)
    assert CATALOGUE["rrelu"].values(lower=0.2, upper=0.4)["slope"] == pytest.approx(0.3)
