"""Write small grey pictures as PNG, with nothing but zlib.

Specification: Portable Network Graphics, third edition (W3C, 2025), chunks IHDR, IDAT and IEND.
"""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from typing import Final

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_GREY_8_BIT: Final = b"\x08\x00\x00\x00\x00"


def encode_grey(pixels: bytes, *, width: int, height: int) -> bytes:
    """Return a PNG of one grey byte a pixel, row by row.

    Raises:
        ValueError: When the number of bytes is not width times height, or either is not positive.
    """
    if width < 1 or height < 1 or len(pixels) != width * height:
        raise ValueError(f"{len(pixels)} bytes are no picture of {width} by {height} pixels")
    # Each row begins with its filter; 0 is none.
    rows = b"".join(b"\x00" + pixels[start : start + width] for start in range(0, len(pixels), width))
    header = struct.pack(">II", width, height) + _GREY_8_BIT
    return SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows, 9)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def decode_pixels(text: str, *, width: int, height: int) -> bytes | None:
    """Return the pixels that base64 text holds, or None when they are not exactly that many bytes."""
    try:
        pixels = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return pixels if len(pixels) == width * height else None


def data_uri(png: bytes) -> str:
    """Return a PNG as the address of an image that needs no network."""
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
