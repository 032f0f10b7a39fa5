"""What goes over the channels between parent and worker: a length in four bytes, then so many bytes of JSON.

In this order: ``Setup`` to the worker, ``Confinement`` back, ``CheckRequest`` to the worker, ``CheckOutput`` back.
The worker learns which model it is about only after it has reported its confinement.
"""

from __future__ import annotations

import os
import struct
from typing import Annotated, Final, TypeVar

from msgspec import Meta

from weighbridge import _json
from weighbridge._struct import Wire
from weighbridge.errors import ParseError

HEADER: Final = struct.Struct(">I")
"""The length in front of each frame."""

MAX_TOLD: Final = _json.MAX_JSON_BYTES
"""Largest frame that a worker accepts from its parent, in bytes."""

MAX_CONFINEMENT: Final = 16 * 1024
"""Largest first frame that a parent accepts, in bytes."""

MAX_READABLE: Final = 100_000
"""Most paths that one worker may be given to read."""

T = TypeVar("T")


class Setup(Wire):
    """What the launcher needs to confine itself: nothing of it says what will be examined.

    ``readable`` are the paths of the interpreter. What was asked for beside them comes as descriptors that were looked
    at, ``granted``, and so does the scratch directory. From ``program`` this program was started. None of these
    descriptors is of use once the rules are made.
    """

    readable: Annotated[tuple[str, ...], Meta(max_length=MAX_READABLE)]
    scratch: str
    parent: int
    memory: int
    cpu_seconds: int
    files: int
    granted: Annotated[tuple[int, ...], Meta(max_length=MAX_READABLE)] = ()
    scratch_opened: int | None = None
    program: int | None = None


def encode(value: Wire) -> bytes:
    """Return one frame."""
    data = _json.dumps(value)
    return HEADER.pack(len(data)) + data


def write(descriptor: int, frame: bytes) -> None:
    """Write all of a frame.

    Raises:
        OSError: When the other side is gone.
    """
    rest = memoryview(frame)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def read(descriptor: int, into: type[T], *, what: str, limit: int = MAX_TOLD) -> T:
    """Read one frame and give it its type.

    Raises:
        ParseError: When it is cut short, too long, or not of this type.
    """
    (size,) = HEADER.unpack(_exactly(descriptor, HEADER.size, what))
    if size > limit:
        raise ParseError(f"{what} has {size} bytes; at most {limit} are read")
    return _json.parse(_exactly(descriptor, size, what), into, what=what)


def _exactly(descriptor: int, size: int, what: str) -> bytes:
    parts: list[bytes] = []
    while size > 0:
        part = os.read(descriptor, min(size, 1 << 16))
        if not part:
            raise ParseError(f"{what} ends too early")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
