from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from weighbridge.model import resources
from weighbridge.model.resources import Disk, free_disk, free_memory, room_for

GIB = 1024**3
NO_LIMIT = "9223372036854771712"


class Machine:
    """A /proc and control groups as a kernel shows them."""

    def __init__(self, directory: Path, *, available: int = 8 * GIB) -> None:
        self.proc, self.groups = directory / "proc", directory / "cgroup"
        (self.proc / "self").mkdir(parents=True)
        (self.proc / "meminfo").write_text(f"MemTotal: 99 kB\nMemAvailable:   {available // 1024} kB\n")
        (self.proc / "self/cgroup").write_text("")
        (self.proc / "self/mountinfo").write_text("")

    def group(self, path: str, *, version: int, limit: str, used: int, forgettable: int | None = 0) -> None:
        limit_file, usage_file, prefix = (
            ("memory.max", "memory.current", "") if version == 2 else
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_")
        )  # fmt: skip
        place = self.groups / path
        place.mkdir(parents=True, exist_ok=True)
        (place / limit_file).write_text(limit + "\n")
        (place / usage_file).write_text(f"{used}\n")
        if forgettable is not None:
            (place / "memory.stat").write_text(f"anon 1\n{prefix}inactive_file {forgettable}\n")

    def member(self, *, version: int, path: str) -> None:
        kind, options = ("cgroup2", "rw") if version == 2 else ("cgroup", "rw,memory")
        line = f"40 27 0:40 / {self.groups} rw - {kind} cgroup {options}\n"
        (self.proc / "self/mountinfo").write_text(line)
        (self.proc / "self/cgroup").write_text(
            f"0::{path}\n" if version == 2 else f"4:cpuset:/x\n5:cpu,memory:{path}\n"
        )

    def free(self) -> int:
        return free_memory(self.proc)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_without_groups_it_is_what_the_machine_has(machine: Machine) -> None:
    assert machine.free() == 8 * GIB


def test_nothing_is_free_where_nothing_tells(tmp_path: Path) -> None:
    assert free_memory(tmp_path) == 0


@pytest.mark.parametrize("version", [1, 2])
def test_the_limit_of_the_group_counts_less_what_is_used(machine: Machine, version: int) -> None:
    machine.member(version=version, path="/pod/box")
    machine.group("pod/box", version=version, limit=str(GIB), used=600, forgettable=100)
    assert machine.free() == GIB - 500


@pytest.mark.parametrize(("version", "none"), [(1, NO_LIMIT), (2, "max")])
def test_no_limit_is_none_and_a_limit_further_up_counts(machine: Machine, version: int, none: str) -> None:
    machine.member(version=version, path="/pod/box")
    machine.group("pod/box", version=version, limit=none, used=600)
    assert machine.free() == 8 * GIB
    machine.group("pod", version=version, limit=str(GIB), used=0)
    assert machine.free() == GIB


@pytest.mark.parametrize("version", [1, 2])
def test_in_a_container_the_path_of_the_host_is_not_there_and_the_root_is_its_own(
    machine: Machine, version: int
) -> None:
    machine.member(version=version, path="/kubepods/pod1/box")
    machine.group("", version=version, limit=str(GIB), used=0, forgettable=None)
    assert machine.free() == GIB


def test_a_group_over_its_limit_has_nothing_left(machine: Machine) -> None:
    machine.member(version=2, path="/")
    machine.group("", version=2, limit="100", used=200)
    assert machine.free() == 0


def test_a_group_that_cannot_be_read_is_passed_over(machine: Machine) -> None:
    machine.member(version=2, path="/")
    machine.group("", version=2, limit="much", used=200)
    assert machine.free() == 8 * GIB
    (machine.proc / "self/cgroup").unlink()
    assert machine.free() == 8 * GIB


def test_this_machine_has_memory_and_disk(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        room = room_for([descriptor])
    finally:
        os.close(descriptor)
    assert room.memory > 0
    assert not room.unwritable


def test_a_place_in_memory_or_that_cannot_be_written_is_no_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: "/dev/shm")
    monkeypatch.setattr(resources, "PLACES", ("/nonexistent",))
    found = free_disk()
    assert found is None
    monkeypatch.setattr(resources, "PLACES", (str(tmp_path),))
    disk = free_disk()
    if disk is not None:  # on a machine whose temporary files lie in memory there is none
        assert disk == Disk(tmp_path, disk.free)
        assert disk.free > 0


def test_without_any_place_there_is_no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> str:
        raise FileNotFoundError("no usable temporary directory")

    monkeypatch.setattr(tempfile, "gettempdir", refuse)
    monkeypatch.setattr(resources, "PLACES", ())
    assert free_disk() is None
