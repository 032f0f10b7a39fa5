"""What is mounted where, as the kernel tells a process, and whether a file system can be written at all."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

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

    @property
    def unwritable(self) -> bool:
        """Tell whether nothing can be written through any mount of this file system.

        An overlay counts when it has no upper layer: that is how a container runtime mounts an image volume. A
        read-only mount of anything else does not count, because whoever writes to the source shows through it.
        """
        if self.kind in READ_ONLY_KINDS:
            return True
        upper = any(option.startswith(("upperdir", "workdir")) for option in self.options)
        return self.kind == "overlay" and "ro" in self.options and not upper


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
            found.append(Mount(int(fields[0]), _plain(fields[4]), kind, tuple(options.split(","))))
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

    What is mounted inside the directory could be written, so then it is not.
    """
    known = mounts(proc)
    mount = mount_of(descriptor, known, proc=proc)
    if mount is None or not mount.unwritable:
        return False
    try:
        place = os.readlink(proc / "self/fd" / str(descriptor)).rstrip("/")
    except OSError:
        return False
    return not any(other.point.startswith(f"{place}/") and other.id != mount.id for other in known)


def _plain(text: str) -> str:
    # Spaces, tabs, newlines and backslashes are written in octal.
    return _ESCAPE.sub(lambda match: chr(int(match[1], 8)), text)
