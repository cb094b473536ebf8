import io

import numpy as np
import pytest
from matplotlib.image import imread

from service.datasets.png import encode


@pytest.mark.parametrize("channels", [1, 3])
def test_encode_writes_what_another_library_reads(channels: int) -> None:
    image = np.random.RandomState(0).randint(0, 256, (channels, 5, 7)).astype(np.uint8)
    read = np.rint(imread(io.BytesIO(encode(image)), format="png") * 255).astype(np.uint8)
    assert np.array_equal(read.reshape(5, 7, channels), image.transpose(1, 2, 0))
