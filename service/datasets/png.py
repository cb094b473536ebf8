"""The PNG file format, as far as images of 8 bits a value need it (RFC 2083)."""

import struct
import zlib

from service.datasets.arrays import Bytes

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB = 0, 2
"""Colour types of the header."""
DEPTH = 8  # bits


def encode(image: Bytes) -> bytes:
    """Return an image, (channels, height, width) with 1 channel or 3 (red, green, blue), as the content of a file."""
    channels, height, width = image.shape
    header = struct.pack(">IIBBBBB", width, height, DEPTH, GREY if channels == 1 else RGB, 0, 0, 0)
    # Each row of pixels begins with the number of its filter; 0 is none.
    rows = b"".join(b"\0" + row.tobytes() for row in image.transpose(1, 2, 0))
    return SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
