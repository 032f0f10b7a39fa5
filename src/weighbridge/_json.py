"""Read JSON from bytes that nobody vouches for, and write it the same way every time."""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import Any, Final, Never, TypeVar

import msgspec

from weighbridge._struct import ONE_AT_A_TIME
from weighbridge.errors import ParseError

MAX_JSON_BYTES: Final = 32 * 1024 * 1024
"""Largest JSON document that is parsed at all."""

MAX_JSON_DEPTH: Final = 64
"""Deepest nesting that is parsed."""

MAX_QUOTED: Final = 300
"""Most characters of a document that an error repeats: errors end up in logs, and in verdicts that we sign."""

T = TypeVar("T")


def _reject_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ParseError(f"the key {key[:MAX_QUOTED]!r} appears twice in one JSON object")
        found[key] = value
    return found


def _reject_constant(name: str) -> Never:
    raise ParseError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ParseError(f"{text[:40]} is larger than a double can hold")
    return number


# Possessive, and the closing quote may be missing: a string that never ends is passed over once and not once for each
# quote in it, and a string of megabytes needs no memory for ways back.
_STRUCTURE: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{]|[\]}]', re.DOTALL)

_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")


def _check_depth(text: str, what: str, max_depth: int) -> None:
    # json recurses in C and would end in a RecursionError, so the nesting is counted before.
    depth = 0
    for match in _STRUCTURE.finditer(text):
        character = text[match.start()]
        if character in "[{":
            depth += 1
            if depth > max_depth:
                raise ParseError(f"{what} nests deeper than {max_depth} levels")
        elif character in "]}":
            depth -= 1


def loads(data: bytes, *, what: str, max_bytes: int = MAX_JSON_BYTES, max_depth: int = MAX_JSON_DEPTH) -> object:
    """Parse one JSON document strictly.

    Args:
        data: The bytes as they came.
        what: What the bytes are, for the error message.
        max_bytes: Refuse anything larger.
        max_depth: Refuse anything nested deeper.

    Raises:
        ParseError: For a size or depth over the limit, bytes that are not UTF-8, duplicate keys, NaN, infinity or a
            number that becomes it, half a surrogate pair, trailing bytes, or anything else that RFC 8259 does not
            allow.
    """
    if len(data) > max_bytes:
        raise ParseError(f"{what} has {len(data)} bytes; at most {max_bytes} are read")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ParseError(f"{what} is not UTF-8: {error.reason} at byte {error.start}") from None
    _check_depth(text, what, max_depth)
    try:
        value: object = json.loads(
            text, object_pairs_hook=_reject_duplicates, parse_constant=_reject_constant, parse_float=_finite
        )
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is text that nobody can write
        return value
    except ParseError as error:
        raise ParseError(f"{what} is not acceptable JSON: {error.message}") from None
    except (ValueError, RecursionError) as error:
        raise ParseError(f"{what} is not JSON: {error}") from None


def convert(value: object, into: type[T], *, what: str) -> T:
    """Give parsed data its type, refusing unknown fields and wrong types.

    Raises:
        ParseError: Naming the path inside the document.
    """
    try:
        with ONE_AT_A_TIME:
            return msgspec.convert(value, into, strict=True)
    except msgspec.ValidationError as error:
        raise ParseError(f"{what} is not acceptable: {str(error)[:MAX_QUOTED]}") from None


def parse(data: bytes, into: type[T], *, what: str, max_bytes: int = MAX_JSON_BYTES) -> T:
    """Parse bytes straight into a type: ``loads`` and ``convert`` in one."""
    return convert(loads(data, what=what, max_bytes=max_bytes), into, what=what)


def plain(value: object) -> dict[str, object]:
    """Return a typed value as the plain JSON object that it is written as."""
    found: dict[str, object] = msgspec.to_builtins(value)
    return found


def dumps(value: object) -> bytes:
    """Write a value as compact JSON with sorted keys; the same value gives the same bytes."""
    return msgspec.json.encode(msgspec.to_builtins(value), order="sorted")


def dumps_pretty(value: object) -> str:
    """Write a value as indented JSON for people, keys in the order of their type."""
    return json.dumps(msgspec.to_builtins(value), indent=2, ensure_ascii=False)
