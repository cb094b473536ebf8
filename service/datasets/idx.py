"""The IDX file format.

Two zero bytes, a type (8: unsigned byte), the number of axes, each axis's length as a big-endian 32-bit integer, then
the values row by row. Source: http://yann.lecun.com/exdb/mnist/.
"""

import struct

import numpy as np
from numpy.typing import NDArray

UNSIGNED_BYTE = 8


def encode(array: NDArray[np.uint8]) -> bytes:
    """Return the content of an unpacked IDX file with these values."""
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, UNSIGNED_BYTE, array.ndim, *array.shape)
    return header + array.tobytes()


def decode(content: bytes) -> NDArray[np.uint8]:
    """Return the values of an unpacked IDX file of unsigned bytes.

    Raises ValueError that says what the content is instead.
    """
    if len(content) < 4 or content[:3] != bytes((0, 0, UNSIGNED_BYTE)):
        raise ValueError(f"the magic number is {content[:4].hex() or 'missing'}, not 000008nn")
    axes = content[3]
    start = 4 + 4 * axes
    if len(content) < start:
        raise ValueError("it ends inside its header")
    shape = struct.unpack(f">{axes}I", content[4:start])
    expected = int(np.prod(shape, dtype=np.int64))
    if len(content) - start != expected:
        raise ValueError(f"it holds {len(content) - start:,} values where its header promises {expected:,}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
