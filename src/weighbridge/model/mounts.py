"""What is mounted where, as the kernel tells a process, and whether a file system can be written at all."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from weighbridge.model.layers import out_of_reach

PROC: Final = Path("/proc")
"""Where the kernel tells about processes; tests name another place."""

READ_ONLY_KINDS: Final = frozenset({"squashfs", "erofs", "iso9660", "cramfs", "romfs"})
"""File systems that the kernel cannot write, whoever asks."""

MEMORY_KINDS: Final = frozenset({"tmpfs", "ramfs", "hugetlbfs"})
"""File systems whose files take memory."""

_ESCAPE: Final = re.compile(r"\\([0-7]{3})")
_LEAST_FIELDS: Final = 10


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of ``/proc/self/mountinfo``: where, of which kind, and the options of the file system itself."""

    id: int
    point: str
    kind: str
    options: tuple[str, ...]


def parse_mounts(text: str) -> tuple[Mount, ...]:
    """Read the lines of a ``mountinfo``; a line that is none is left out."""
    found = []
    for line in text.splitlines():
        fields = line.split(" ")
        with contextlib.suppress(ValueError, IndexError):
            if len(fields) < _LEAST_FIELDS:
                continue
            # Optional fields stand between the options of the mount and a dash.
            kind, _, options = fields[fields.index("-", 6) + 1 :][:3]
            plain = tuple(map(_plain, options.split(",")))
            found.append(Mount(int(fields[0]), _plain(fields[4]), kind, plain))
    return tuple(found)


def mounts(proc: Path = PROC) -> tuple[Mount, ...]:
    """Return what this process sees mounted; nothing where the kernel does not tell."""
    try:
        return parse_mounts((proc / "self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape"))
    except OSError:
        return ()


def mount_of(descriptor: int, known: Iterable[Mount], *, proc: Path = PROC) -> Mount | None:
    """Return the mount through which a descriptor was opened, by the number that the kernel keeps with it."""
    try:
        lines = (proc / "self/fdinfo" / str(descriptor)).read_text(encoding="ascii").splitlines()
        number = next(int(line.partition(":")[2]) for line in lines if line.startswith("mnt_id:"))
    except (OSError, StopIteration, ValueError):
        return None
    return next((mount for mount in known if mount.id == number), None)


def lies_unwritable(descriptor: int, *, proc: Path = PROC) -> bool:
    """Tell whether the file or directory behind a descriptor, and all beneath it, lies where nobody can write.

    A read-only mount of a file system that can be written does not count, because whoever writes to the source shows
    through it; nor does a directory that has something else mounted inside.
    """
    known = mounts(proc)
    mount = mount_of(descriptor, known, proc=proc)
    if mount is None or not unwritable(mount, proc=proc):
        return False
    try:
        place = os.readlink(proc / "self/fd" / str(descriptor)).rstrip("/")
    except OSError:
        return False
    return not any(other.point.startswith(f"{place}/") and other.id != mount.id for other in known)


def unwritable(mount: Mount, *, proc: Path = PROC) -> bool:
    """Tell whether nothing can be written through any mount of this file system, nor below it from in here."""
    return mount.kind in READ_ONLY_KINDS or (mount.kind == "overlay" and out_of_reach(mount.options, proc=proc))


def _plain(text: str) -> str:
    # Spaces, tabs, newlines and backslashes are written in octal.
    return _ESCAPE.sub(lambda match: chr(int(match[1], 8)), text)
