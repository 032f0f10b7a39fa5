"""The standard input in place of a file: bounded, and as a file that nobody else can read."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from weighbridge.cli._places import STANDARD_INPUT
from weighbridge.errors import InputError, UsageError

MAX_MODEL: Final = 4 * 1024**3
"""Most bytes of a model that are taken from the standard input; larger ones are files."""

MAX_REQUIREMENTS: Final = 16 * 1024**2
"""Most bytes of requirements that are taken from it."""

NAME: Final = "stdin"
"""What the file is called: a model's digest binds its name, and this has none."""

_PIECE: Final = 1 << 20


def is_stdin(path: Path) -> bool:
    """Tell whether a path stands for the standard input.

    Raises:
        UsageError: When there is also something of that name: in a loop over names it would swallow the others.
    """
    if str(path) != STANDARD_INPUT:
        return False
    if os.path.lexists(STANDARD_INPUT):
        raise UsageError("there is an entry called -, and - is the standard input", remedy="write ./- for the entry")
    return True


@contextmanager
def as_files(paths: tuple[Path, ...], *, limit: int) -> Iterator[tuple[Path, ...]]:
    """Give the paths with a file of its own in place of the standard input, which is gone afterwards.

    Raises:
        InputError: When there is nothing to read, or more than the limit.
        UsageError: When the standard input is named twice.
    """
    count = sum(map(is_stdin, paths))
    if count > 1:
        raise UsageError("the standard input can be read once", remedy="give - once")
    if not count:
        yield paths
        return
    import shutil
    import tempfile

    directory = Path(tempfile.mkdtemp(prefix="weighbridge-"))
    try:
        file = directory / NAME
        _copy(file, limit)
        yield tuple(file if is_stdin(path) else path for path in paths)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _copy(target: Path, limit: int) -> None:
    if sys.stdin is None:
        raise InputError("there is no standard input", remedy="name a file")
    size = 0
    with target.open("xb") as stream:
        while piece := sys.stdin.buffer.read(_PIECE):
            size += len(piece)
            if size > limit:
                raise InputError(f"the standard input has more than {limit} bytes", remedy="write it to a file first")
            stream.write(piece)
    if not size:
        raise InputError("the standard input is empty", remedy="pipe something in, or name a file")
