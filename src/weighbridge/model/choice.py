"""Which view of a model to make: a decision over its size and the room that there is. Nothing here asks the machine."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final


class ViewKind(enum.StrEnum):
    """How the bytes were held that a check read, strongest first; ``docs/bytes-and-inputs.md`` says what each is worth.

    ``sealed``: in memory that nobody can write, root neither. ``copy``: in a file without a name, which only root
    could open. ``immutable``: where they lay, on a file system that cannot be written. ``watched``: where they lay,
    hashed before and after, with everything that tells of a writer looked at; who is root can still deceive it.
    """

    SEALED = "sealed"
    COPY = "copy"
    IMMUTABLE = "immutable"
    WATCHED = "watched"


_MIB: Final = 1024**2

MEMORY_SHARE: Final = 4
"""A view takes at most one part in so many of the free memory: a check that loads the model needs its size again, and
more than once, and memory that is missing ends in the kernel's killer and in no error."""

DISK_KEPT: Final = 1024 * _MIB
"""Bytes of the disk that a copy leaves free for everybody else."""

WORTH_COPYING: Final = 256 * _MIB
"""A model up to this size is copied even where it lies on a file system that cannot be written: it costs nothing, and
then it does not matter what is mounted over it."""


@dataclass(frozen=True, slots=True)
class Room:
    """What the machine has: free bytes of memory and, in ``place``, of disk; and whether nobody can write the model."""

    memory: int
    disk: int
    unwritable: bool
    place: Path | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The kinds of view to try, best first, and why each stronger one that is missing was passed over."""

    order: tuple[ViewKind, ...]
    against: dict[ViewKind, str] = field(default_factory=dict)


def plan_view(size: int, room: Room) -> Plan:
    """Decide for a model of so many bytes. The last of the order is always ``watched``, which needs no room."""
    order: list[ViewKind] = []
    against: dict[ViewKind, str] = {}
    memory = room.memory // MEMORY_SHARE
    disk = max(0, room.disk - DISK_KEPT) if room.place is not None else 0
    if size <= memory:
        order.append(ViewKind.SEALED)
    else:
        against[ViewKind.SEALED] = f"{mebibytes(size)} are more than the {mebibytes(memory)} of memory that may be used"
    if room.place is not None and size <= disk:
        order.append(ViewKind.COPY)
    else:
        against[ViewKind.COPY] = f"{mebibytes(size)} are more than the {mebibytes(disk)} of disk that may be used"
    if room.unwritable:
        order.insert(1 if order[:1] == [ViewKind.SEALED] and size <= WORTH_COPYING else 0, ViewKind.IMMUTABLE)
    else:
        against[ViewKind.IMMUTABLE] = "the file system of the model, or what lies below it, can be written"
    return Plan((*order, ViewKind.WATCHED), against)


def mebibytes(size: int) -> str:
    """Write a number of bytes for people, rounded up."""
    return f"{-(-size // _MIB)} MiB"
