from __future__ import annotations

import errno
import fcntl
import mmap
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from weighbridge.errors import ModelError
from weighbridge.model import watch as module
from weighbridge.model.digest import Silent
from weighbridge.model.leases import Lease, lease_holds, take_lease
from weighbridge.model.tree import open_tree
from weighbridge.model.watch import Watch, start_watch

QUIET = Silent()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    directory = tmp_path / "model"
    (directory / "sub").mkdir(parents=True)
    (directory / "a.bin").write_bytes(b"a" * 5000)
    (directory / "sub" / "b.bin").write_bytes(b"b" * 5000)
    return directory


@contextmanager
def watched(model: Path) -> Iterator[Watch]:
    with open_tree(model) as tree, ExitStack() as stack:
        yield start_watch(tree, stack, progress=QUIET)


def test_a_model_that_nobody_touches_is_as_it_was(model: Path) -> None:
    with watched(model) as watch:
        assert watch.leased
        watch.require_untouched()


def test_a_single_file_is_watched_as_well(model: Path) -> None:
    with watched(model / "a.bin") as watch:
        watch.require_untouched()
        (model / "new").write_bytes(b"n" * 5000)
        os.replace(model / "new", model / "a.bin")
        with pytest.raises(ModelError, match="changed"):
            watch.require_untouched()


def exchange_and_back(path: Path) -> None:
    other, kept = path.with_name("other"), path.with_name("kept")
    if path.is_dir():
        other.mkdir()
        (other / "b.bin").write_bytes(b"e" * 5000)
    else:
        other.write_bytes(b"e" * 5000)
    path.rename(kept)
    other.rename(path)
    path.rename(other)
    kept.rename(path)
    (other / "b.bin").unlink() if other.is_dir() else other.unlink()
    if other.is_dir():
        other.rmdir()


@pytest.mark.parametrize("name", ["a.bin", "sub/b.bin", "sub", "."])
def test_what_was_exchanged_and_put_back_is_seen(model: Path, name: str) -> None:
    with watched(model) as watch:
        exchange_and_back((model / name).resolve())
        with pytest.raises(ModelError, match="changed"):
            watch.require_untouched()


@pytest.mark.parametrize("leases", [True, False])
def test_what_was_written_is_seen_with_its_time_put_back(
    model: Path, monkeypatch: pytest.MonkeyPatch, leases: bool
) -> None:
    if not leases:
        monkeypatch.setattr(module, "MAX_LEASES", 0)
    with watched(model) as watch:
        assert watch.leased is leases
        times = os.stat(model / "a.bin")
        if leases:
            with pytest.raises(BlockingIOError):
                os.open(model / "a.bin", os.O_WRONLY | os.O_NONBLOCK)
        else:
            (model / "a.bin").write_bytes(b"A" * 5000)
            os.utime(model / "a.bin", ns=(times.st_atime_ns, times.st_mtime_ns))
        with pytest.raises(ModelError, match="changed"):
            watch.require_untouched()


def test_refuses_a_model_that_somebody_has_open_for_writing(model: Path) -> None:
    with (
        (model / "sub" / "b.bin").open("r+b"),
        pytest.raises(ModelError, match=r"somebody has sub/b\.bin open for writing"),
        watched(model),
    ):
        pass


def test_refuses_a_model_that_somebody_has_mapped_with_the_descriptor_long_closed(model: Path) -> None:
    """No time of change tells of a store through such a map, once a page is dirty."""
    with (model / "a.bin").open("r+b") as stream:
        content = mmap.mmap(stream.fileno(), 4096)
    content[0] = 0
    try:
        with pytest.raises(ModelError, match="mapped so that writing reaches it"), watched(model):
            pass
    finally:
        content.close()


def test_a_store_through_a_dirty_map_is_found_by_hashing_again_where_there_are_no_leases(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_LEASES", 0)
    with (model / "a.bin").open("r+b") as stream:
        content = mmap.mmap(stream.fileno(), 4096)
    content[0] = 0
    try:
        with watched(model) as watch:
            content[1] = 0
            with pytest.raises(ModelError, match=r"a\.bin.* changed"):
                watch.require_untouched()
    finally:
        content.close()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EINVAL, errno.EOPNOTSUPP])
def test_where_leases_are_not_to_be_had_it_is_known(model: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    real = fcntl.fcntl

    def refuse(descriptor: int, command: int, argument: Any = 0) -> Any:
        if command == fcntl.F_SETLEASE:
            raise OSError(number, os.strerror(number))
        return real(descriptor, command, argument)

    monkeypatch.setattr(fcntl, "fcntl", refuse)
    before = len(os.listdir("/proc/self/fd"))
    with watched(model) as watch:
        assert not watch.leased
        watch.require_untouched()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_broken_lease_does_not_end_the_process(model: Path) -> None:
    """The signal that the kernel sends for a lease would end it, if it were the usual one."""
    assert signal.getsignal(signal.SIGURG) is signal.SIG_DFL
    descriptor = os.open(model / "a.bin", os.O_RDONLY)
    try:
        assert take_lease(descriptor, name="a.bin") is Lease.HELD
        assert lease_holds(descriptor)
        with pytest.raises(BlockingIOError):
            os.open(model / "a.bin", os.O_WRONLY | os.O_NONBLOCK)
        assert not lease_holds(descriptor)
    finally:
        os.close(descriptor)
    assert not lease_holds(descriptor)


def test_a_file_exchanged_between_listing_and_lease_is_seen(model: Path) -> None:
    with open_tree(model) as tree, ExitStack() as stack:
        (model / "new").write_bytes(b"n" * 5000)
        os.replace(model / "new", model / "a.bin")
        with pytest.raises(ModelError, match="changed"):
            start_watch(tree, stack, progress=QUIET)


def test_a_directory_that_is_gone_is_said(model: Path) -> None:
    with watched(model) as watch:
        exploding = Watch(watch.tree, watch.sums, watch.directories, {})
        os.rename(model / "sub", model.parent / "sub")
        with pytest.raises(ModelError, match=r"changed|gone"):
            exploding.require_untouched()
        with pytest.raises(ModelError, match="gone"):
            module._directories(watch.tree)
