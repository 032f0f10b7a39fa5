from __future__ import annotations

from pathlib import Path

import pytest

from weighbridge.model.choice import DISK_KEPT, MEMORY_SHARE, WORTH_COPYING, Room, ViewKind, mebibytes, plan_view

SEALED, COPY, IMMUTABLE, WATCHED = ViewKind
PLACE = Path("/var/tmp")
MIB = 1024**2


def room(memory: int = 0, disk: int = 0, *, unwritable: bool = False, place: Path | None = PLACE) -> Room:
    return Room(memory=memory * MEMORY_SHARE, disk=disk + DISK_KEPT, unwritable=unwritable, place=place)


@pytest.mark.parametrize(
    ("size", "there", "order"),
    [
        (100, room(100, 100), (SEALED, COPY, WATCHED)),
        (100, room(99, 100), (COPY, WATCHED)),
        (100, room(100, 99), (SEALED, WATCHED)),
        (100, room(99, 99), (WATCHED,)),
        (100, room(100, 100, unwritable=True), (SEALED, IMMUTABLE, COPY, WATCHED)),
        (100, room(0, 100, unwritable=True), (IMMUTABLE, COPY, WATCHED)),
        (100, room(0, 0, unwritable=True), (IMMUTABLE, WATCHED)),
        (WORTH_COPYING, room(WORTH_COPYING, 0, unwritable=True), (SEALED, IMMUTABLE, WATCHED)),
        (WORTH_COPYING + 1, room(2 * WORTH_COPYING, 0, unwritable=True), (IMMUTABLE, SEALED, WATCHED)),
        (100, room(0, 100, place=None), (WATCHED,)),
        (0, room(0, 0, place=None), (SEALED, WATCHED)),
    ],
)
def test_takes_the_strongest_view_that_there_is_room_for(size: int, there: Room, order: tuple[ViewKind, ...]) -> None:
    assert plan_view(size, there).order == order


def test_never_takes_more_than_its_share_of_memory_nor_the_last_of_the_disk() -> None:
    assert SEALED not in plan_view(26, Room(memory=100, disk=0, unwritable=False)).order
    assert COPY not in plan_view(1, Room(memory=0, disk=DISK_KEPT, unwritable=False, place=PLACE)).order


def test_says_why_each_stronger_view_was_passed_over() -> None:
    plan = plan_view(300 * MIB, room(200 * MIB, 100 * MIB))
    assert plan.against == {
        SEALED: "300 MiB are more than the 200 MiB of memory that may be used",
        COPY: "300 MiB are more than the 100 MiB of disk that may be used",
        IMMUTABLE: "the file system of the model, or what lies below it, can be written",
    }


def test_rounds_up_so_that_little_is_not_nothing() -> None:
    assert (mebibytes(0), mebibytes(1), mebibytes(MIB), mebibytes(MIB + 1)) == ("0 MiB", "1 MiB", "1 MiB", "2 MiB")
