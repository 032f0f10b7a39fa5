"""How much memory and disk this process may still take: the machine's, and its control group's, which kills."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from weighbridge.model.choice import Room
from weighbridge.model.mounts import MEMORY_KINDS, PROC, Mount, lies_unwritable, mount_of, mounts

PLACES: Final = ("/var/tmp",)  # noqa: S108 - a file there has no name and mode 0400
"""Where a copy may lie when the directory for temporary files has no room, or is memory."""

_NO_LIMIT: Final = "max"


@dataclass(frozen=True, slots=True)
class Disk:
    """A directory for a copy, and the bytes that are free there."""

    directory: Path
    free: int


def room_for(descriptors: Iterable[int], *, proc: Path = PROC) -> Room:
    """Measure what there is for a view of a model; every directory that its bytes come from is one of the open ones."""
    disk = free_disk(proc)
    return Room(
        memory=free_memory(proc),
        disk=disk.free if disk is not None else 0,
        unwritable=all(lies_unwritable(descriptor, proc=proc) for descriptor in descriptors),
        place=disk.directory if disk is not None else None,
    )


def free_memory(proc: Path = PROC) -> int:
    """Return how many bytes of memory can be taken before something must be killed; 0 where nothing tells.

    A file in memory is charged to the control group of its writer, so the smallest limit above this process counts as
    well as what the machine has. Both versions of control groups are asked.
    """
    free = [_machine(proc), *_groups(proc)]
    return max(0, min(free))


def free_disk(proc: Path = PROC) -> Disk | None:
    """Return the temporary directory with the most room that is not memory itself; None where there is none."""
    known = mounts(proc)
    found = [disk for place in _places() if (disk := _disk(place, known, proc)) is not None]
    return max(found, key=lambda disk: disk.free, default=None)


def _machine(proc: Path) -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in (proc / "meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 0


def _groups(proc: Path) -> Iterator[int]:
    try:
        lines = (proc / "self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for mount in mounts(proc):
        if mount.kind == "cgroup2":
            names, files = [line[3:] for line in lines if line.startswith("0::")], ("memory.max", "memory.current", "")
        elif mount.kind == "cgroup" and "memory" in mount.options:
            names = [path for _, kinds, path in map(_fields, lines) if "memory" in kinds.split(",")]
            files = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_")
        else:
            continue
        for name in names:
            yield from _upwards(Path(mount.point), name, files)


def _fields(line: str) -> tuple[str, str, str]:
    number, _, rest = line.partition(":")
    kinds, _, path = rest.partition(":")
    return number, kinds, path


def _upwards(root: Path, name: str, files: tuple[str, str, str]) -> Iterator[int]:
    # In a container the path may be that on the host, which is not there; then the root is the container's own group.
    place = root / name.strip("/")
    for group in (place, *place.parents):
        if (free := _free_in(group, files)) is not None:
            yield free
        if group == root:
            return


def _free_in(group: Path, files: tuple[str, str, str]) -> int | None:
    limit_file, usage_file, prefix = files
    try:
        limit = (group / limit_file).read_text(encoding="ascii").strip()
        used = int((group / usage_file).read_text(encoding="ascii"))
        if limit == _NO_LIMIT:
            return None
        # What was read and may be forgotten at once counts as used there; the kernel drops it before it kills.
        return int(limit) - used + _forgettable(group, f"{prefix}inactive_file")
    except (OSError, ValueError):
        return None


def _forgettable(group: Path, name: str) -> int:
    with contextlib.suppress(OSError, ValueError):
        for line in (group / "memory.stat").read_text(encoding="ascii").splitlines():
            key, _, value = line.partition(" ")
            if key == name:
                return int(value)
    return 0


def _places() -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield Path(tempfile.gettempdir())
    yield from map(Path, PLACES)


def _disk(place: Path, known: tuple[Mount, ...], proc: Path) -> Disk | None:
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        mount = mount_of(descriptor, known, proc=proc)
        if mount is None or mount.kind in MEMORY_KINDS or not os.access(place, os.W_OK | os.X_OK):
            return None
        status = os.fstatvfs(descriptor)
        return Disk(place, status.f_bavail * status.f_frsize)
    except OSError:
        return None
    finally:
        os.close(descriptor)
