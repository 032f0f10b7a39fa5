from __future__ import annotations

import base64
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.report.html.png import SIGNATURE, data_uri, decode_pixels, encode_grey


def read_grey(png: bytes) -> tuple[int, int, bytes]:
    """Read a PNG of the kind that is written here, checking every chunk."""
    assert png.startswith(SIGNATURE)
    chunks: dict[bytes, bytes] = {}
    rest = png[len(SIGNATURE) :]
    while rest:
        (size,) = struct.unpack(">I", rest[:4])
        kind, data, checksum = rest[4:8], rest[8 : 8 + size], rest[8 + size : 12 + size]
        assert struct.unpack(">I", checksum) == (zlib.crc32(kind + data),)
        chunks[kind] = data
        rest = rest[12 + size :]
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    width, height, depth, colour, *others = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (depth, colour, others) == (8, 0, [0, 0, 0])
    rows = zlib.decompress(chunks[b"IDAT"])
    assert len(rows) == height * (width + 1)
    assert set(rows[:: width + 1]) == {0}
    return width, height, b"".join(rows[at + 1 : at + 1 + width] for at in range(0, len(rows), width + 1))


@given(st.integers(1, 16), st.integers(1, 16), st.data())
def test_pixels_come_back(width: int, height: int, data: st.DataObject) -> None:
    pixels = data.draw(st.binary(min_size=width * height, max_size=width * height))
    assert read_grey(encode_grey(pixels, width=width, height=height)) == (width, height, pixels)


@pytest.mark.parametrize(("width", "height"), [(0, 0), (2, 1), (-1, -3), (1, 2)])
def test_refuses_pixels_of_another_size(width: int, height: int) -> None:
    with pytest.raises(ValueError, match="no picture"):
        encode_grey(b"abc", width=width, height=height)


@pytest.mark.parametrize("text", ["AA=", "A A=", "AAAA", "<script>", "", "AA==\n", "\ud800"])
def test_refuses_text_that_is_not_exactly_the_pixels(text: str) -> None:
    assert decode_pixels(text, width=1, height=1) is None


def test_reads_pixels() -> None:
    assert decode_pixels("AAE=", width=2, height=1) == b"\x00\x01"


def test_address_holds_the_picture() -> None:
    assert base64.b64decode(data_uri(b"png").removeprefix("data:image/png;base64,")) == b"png"
