"""The little of DER (X.690) that an encrypted key file needs, read strictly: one way to write each value."""

from __future__ import annotations

from typing import Final, NamedTuple

INTEGER: Final = 0x02
OCTET_STRING: Final = 0x04
OBJECT: Final = 0x06
SEQUENCE: Final = 0x30

_LONG: Final = 0x80
_MAX_LENGTH_BYTES: Final = 4
_MAX_NUMBER_BYTES: Final = 16


class Element(NamedTuple):
    """One value: its tag and its content."""

    tag: int
    content: bytes


def write(tag: int, *parts: bytes) -> bytes:
    """Write one element whose content is the parts, one after the other."""
    content = b"".join(parts)
    size = len(content)
    if size < _LONG:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, _LONG | len(length)]) + length + content


def write_integer(value: int) -> bytes:
    """Write a number that is not negative."""
    return write(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def read(data: bytes) -> list[Element]:
    """Read the elements that lie one after the other in the data, and nothing else may lie there.

    Raises:
        ValueError: When a length is not written in its shortest form, or reaches beyond the data.
    """
    found = []
    while data:
        if len(data) < 2:  # noqa: PLR2004 - a tag and a length
            raise ValueError("an element ends early")
        tag, size, start = data[0], data[1], 2
        if size >= _LONG:
            start += size - _LONG
            size = int.from_bytes(data[2:start], "big")
            if not 0 < start - 2 <= _MAX_LENGTH_BYTES or data[2:3] == b"\0" or size < _LONG:
                raise ValueError("a length is not written as DER asks")
        if start + size > len(data):
            raise ValueError("an element ends early")
        found.append(Element(tag, data[start : start + size]))
        data = data[start + size :]
    return found


def inside(element: Element, *tags: int) -> list[Element]:
    """Return what a sequence holds: elements of exactly these tags.

    Raises:
        ValueError: When it is no sequence, or holds others.
    """
    found = start_of(element, *tags)
    if len(read(element.content)) != len(tags):
        raise ValueError("a sequence holds more than it must")
    return found


def start_of(element: Element, *tags: int) -> list[Element]:
    """Return what a sequence begins with: elements of these tags; optional ones may follow.

    Raises:
        ValueError: When it is no sequence, or begins with others.
    """
    found = read(element.content)[: len(tags)] if element.tag == SEQUENCE else []
    if tuple(item.tag for item in found) != tags:
        raise ValueError("a sequence holds other elements than it must")
    return found


def number(element: Element) -> int:
    """Return a number that is not negative and has at most 128 bits.

    Raises:
        ValueError: When it is another, or not written in its shortest form.
    """
    value = int.from_bytes(element.content, "big")
    if len(element.content) > _MAX_NUMBER_BYTES or write_integer(value) != write(INTEGER, element.content):
        raise ValueError("a number is negative, huge or not written as DER asks")
    return value
