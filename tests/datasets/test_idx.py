import numpy as np
import pytest

from service.datasets.idx import decode, encode


@pytest.mark.parametrize("shape", [(20,), (20, 28, 28), (5, 3, 32, 32)])
def test_decode_returns_what_was_encoded(shape: tuple[int, ...]) -> None:
    array = np.random.RandomState(0).randint(0, 256, shape).astype(np.uint8)
    assert np.array_equal(decode(encode(array)), array)
