from __future__ import annotations

import errno
import fcntl
import hashlib
import mmap
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from weighbridge.errors import ModelError
from weighbridge.model import pack as module
from weighbridge.model.digest import Silent, hash_model
from weighbridge.model.leases import Lease
from weighbridge.model.listing import Entry
from weighbridge.model.pack import NoRoomError, Pack, copy, layout, require_untouched, seal
from weighbridge.model.tree import BUFFER, Tree, open_tree

CONTENT = {"a.bin": os.urandom(BUFFER + 10), "b/empty": b"", "b/one": b"1", "c": b"c" * mmap.PAGESIZE}
QUIET = Silent()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    directory = tmp_path / "model"
    (directory / "b").mkdir(parents=True)
    for name, content in CONTENT.items():
        (directory / name).write_bytes(content)
    return directory


@contextmanager
def packed(model: Path, kind: str) -> Iterator[tuple[Pack, list[str]]]:
    with open_tree(model) as tree:
        if kind == "sealed":
            pack, sums = seal(tree, progress=QUIET)
        else:
            pack, sums, _ = copy(tree, model.parent, progress=QUIET)
        try:
            yield pack, sums
        finally:
            os.close(pack.descriptor)


def bytes_of(pack: Pack, entry: Entry) -> bytes:
    buffer = memoryview(bytearray(BUFFER))
    return b"".join(bytes(chunk) for chunk in pack.read(entry, buffer=buffer))


@pytest.mark.parametrize("kind", ["sealed", "copy"])
def test_holds_every_byte_and_its_checksum_each_file_at_a_page(model: Path, kind: str) -> None:
    with packed(model, kind) as (pack, sums):
        assert {entry.name: bytes_of(pack, entry) for entry in pack.entries} == CONTENT
        assert sums == [hashlib.sha256(CONTENT[entry.name]).hexdigest() for entry in pack.entries]
        assert all(start % mmap.PAGESIZE == 0 for start in pack.starts.values())
        assert os.fstat(pack.descriptor).st_size == layout(pack.entries)[1]
    assert {path.name for path in model.parent.iterdir()} == {"model"}


def through_proc(descriptor: int) -> None:
    other = os.open(f"/proc/{os.getpid()}/fd/{descriptor}", os.O_RDWR)
    try:
        os.pwrite(other, b"X", 0)
    finally:
        os.close(other)


CHANGES: dict[str, Callable[[int], Any]] = {
    "write": lambda descriptor: os.pwrite(descriptor, b"X", 0),
    "cut off": lambda descriptor: os.ftruncate(descriptor, 0),
    "grow": lambda descriptor: os.ftruncate(descriptor, 2**30),
    "map": lambda descriptor: mmap.mmap(descriptor, 4096, flags=mmap.MAP_SHARED, prot=mmap.PROT_WRITE),
    "by /proc": through_proc,
    "fewer seals": lambda descriptor: fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, 0),
}


@pytest.mark.parametrize("change", CHANGES)
def test_nobody_changes_sealed_memory_not_even_its_maker(model: Path, change: str) -> None:
    with packed(model, "sealed") as (pack, _):
        with pytest.raises(PermissionError):
            CHANGES[change](pack.descriptor)
        assert bytes_of(pack, pack.entries[0]) == CONTENT["a.bin"]


def test_sealed_memory_can_be_mapped_to_be_read(model: Path) -> None:
    with packed(model, "sealed") as (pack, _):
        start = pack.starts["c"]
        with mmap.mmap(pack.descriptor, 4096, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ, offset=start) as content:
            assert content[:4] == b"cccc"


def test_hashes_what_was_sealed_and_not_what_was_read(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who wrote to the memory before it was sealed is in the checksums."""
    fill = module._fill

    def interfere(tree: Tree, descriptor: int, starts: dict[str, int]) -> None:
        fill(tree, descriptor, starts)
        os.pwrite(descriptor, b"forged", starts["c"])

    monkeypatch.setattr(module, "_fill", interfere)
    with packed(model, "sealed") as (_, sums):
        assert sums[3] == hashlib.sha256(b"forged" + CONTENT["c"][6:]).hexdigest()


def test_who_has_it_mapped_before_the_seal_makes_another_kind_of_it(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill, maps = module._fill, []

    def interfere(tree: Tree, descriptor: int, starts: dict[str, int]) -> None:
        fill(tree, descriptor, starts)
        maps.append(mmap.mmap(descriptor, 4096))

    monkeypatch.setattr(module, "_fill", interfere)
    with pytest.raises(NoRoomError, match="busy"), packed(model, "sealed"):
        pass
    maps[0].close()


def refusing(number: int) -> Callable[..., Any]:
    def refuse(*_: object, **__: object) -> Any:
        raise OSError(number, os.strerror(number))

    return refuse


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("memfd_create", errno.EPERM),
        ("memfd_create", errno.ENOSYS),
        ("ftruncate", errno.ENOMEM),
        ("pwrite", errno.ENOSPC),
    ],
)
def test_memory_that_is_not_to_be_had_is_no_error_of_the_model(
    model: Path, monkeypatch: pytest.MonkeyPatch, name: str, number: int
) -> None:
    before = len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(os, name, refusing(number))
    with pytest.raises(NoRoomError, match="memory"), packed(model, "sealed"):
        pass
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_kernel_that_does_not_know_the_newest_flag_is_asked_without(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create, asked = os.memfd_create, []

    def old_kernel(name: str, flags: int) -> int:
        asked.append(flags)
        if flags & 0x8:
            raise OSError(errno.EINVAL, "Invalid argument")
        return create(name, flags)

    monkeypatch.setattr(os, "memfd_create", old_kernel)
    with packed(model, "sealed"):
        assert len(asked) == 2


def test_a_kernel_that_leaves_out_a_seal_is_not_believed(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "fcntl", lambda *_: fcntl.F_SEAL_WRITE)
    with pytest.raises(NoRoomError, match="every seal"), packed(model, "sealed"):
        pass


@pytest.mark.parametrize("name", ["open", "ftruncate", "pwrite", "fchmod"])
def test_a_disk_that_refuses_is_no_error_of_the_model(model: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with open_tree(model) as tree:
        before = len(os.listdir("/proc/self/fd"))
        # Of the copy alone: the model itself is read with os.open too.
        target: Any = module._unnamed if name == "open" else None
        if target is not None:
            monkeypatch.setattr(module, "_unnamed", refusing(errno.ENOSPC))
        else:
            monkeypatch.setattr(os, name, refusing(errno.ENOSPC))
        with pytest.raises(NoRoomError, match="No space left"):
            copy(tree, model.parent, progress=QUIET)
        monkeypatch.undo()
        assert len(os.listdir("/proc/self/fd")) == before


@pytest.fixture
def without_nameless_files(monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def without(path: Any, flags: int, *rest: Any, **options: Any) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "Operation not supported")
        return real(path, flags, *rest, **options)

    monkeypatch.setattr(os, "open", without)


@pytest.mark.usefixtures("without_nameless_files")
def test_a_file_system_without_nameless_files_gets_one_whose_name_is_taken_away(model: Path) -> None:
    with packed(model, "copy") as (pack, _):
        assert os.fstat(pack.descriptor).st_nlink == 0
        assert bytes_of(pack, pack.entries[0]) == CONTENT["a.bin"]
    assert {path.name for path in model.parent.iterdir()} == {"model"}


@pytest.mark.usefixtures("without_nameless_files")
def test_a_copy_that_had_a_name_is_not_made_where_no_lease_tells_who_opened_it(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on NFS: who saw the name come and go holds a map, and stores through it when all has been looked at."""
    opening, unlinking = os.open, Path.unlink
    grabbed: list[int] = []

    def seen_by_inotify(path: Path, *more: Any, **named: Any) -> None:
        grabbed.append(opening(path, os.O_RDWR))
        unlinking(path, *more, **named)

    monkeypatch.setattr(Path, "unlink", seen_by_inotify)
    monkeypatch.setattr(module, "take_lease", lambda *_, **__: Lease.NOT_TO_BE_HAD)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(NoRoomError, match="has a name for a moment"), packed(model, "copy"):
        pass
    os.close(grabbed.pop())
    assert len(os.listdir("/proc/self/fd")) == before
    assert {path.name for path in model.parent.iterdir()} == {"model"}


@pytest.mark.usefixtures("without_nameless_files")
def test_a_copy_whose_name_cannot_be_taken_away_is_not_made(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(Path, "unlink", refusing(errno.EROFS))
    with pytest.raises(NoRoomError, match="Read-only"), packed(model, "copy"):
        pass
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_copy_is_open_for_reading_only_and_may_be_read_by_its_owner_alone(model: Path) -> None:
    with packed(model, "copy") as (pack, _):
        assert os.fstat(pack.descriptor).st_mode & 0o7777 == 0o400
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.pwrite(pack.descriptor, b"X", 0)
        with pytest.raises(PermissionError):
            mmap.mmap(pack.descriptor, 4096, flags=mmap.MAP_SHARED, prot=mmap.PROT_WRITE)


def touch_mode(descriptor: int) -> None:
    os.chmod(f"/proc/self/fd/{descriptor}", 0o600)
    os.chmod(f"/proc/self/fd/{descriptor}", 0o400)


@pytest.mark.parametrize("change", [touch_mode, through_proc], ids=["mode there and back", "write by /proc"])
@pytest.mark.parametrize("leased", [Lease.HELD, Lease.NOT_TO_BE_HAD])
def test_a_copy_that_somebody_got_hold_of_does_not_count(
    model: Path, change: Callable[[int], None], leased: Lease
) -> None:
    with open_tree(model) as tree:
        pack, _, lease = copy(tree, model.parent, progress=QUIET)
        made = os.fstat(pack.descriptor)
        try:
            require_untouched(pack, made=made, lease=lease)
            if leased is Lease.NOT_TO_BE_HAD and lease is Lease.HELD:
                fcntl.fcntl(pack.descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
            if leased is Lease.HELD and change is through_proc:
                # Who opens it for writing would wait for the lease; he who does not wait is refused, and told of.
                with pytest.raises(BlockingIOError):
                    os.open(f"/proc/self/fd/{pack.descriptor}", os.O_RDWR | os.O_NONBLOCK)
            else:
                change(pack.descriptor)
            with pytest.raises(ModelError, match="private copy of the model was changed"):
                require_untouched(pack, made=made, lease=leased)
        finally:
            os.close(pack.descriptor)


@pytest.mark.parametrize("kind", ["sealed", "copy"])
def test_a_model_that_is_seen_to_change_is_refused(model: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    written = module._written

    def interfere(tree: Tree, entry: Entry, *rest: Any) -> Any:
        yield from written(tree, entry, *rest)
        (model / "new").write_bytes(b"")

    monkeypatch.setattr(module, "_written", interfere)
    with pytest.raises(ModelError, match="changed"), packed(model, kind):
        pass


def test_a_copy_that_became_shorter_is_not_read_as_whole(model: Path) -> None:
    with packed(model, "copy") as (pack, _):
        short = Pack(os.open("/dev/null", os.O_RDONLY), pack.entries, pack.starts)
        with pytest.raises(ModelError, match="changed"):
            bytes_of(short, pack.entries[0])
        os.close(short.descriptor)


def test_the_digest_is_that_of_the_model(model: Path) -> None:
    with packed(model, "sealed") as (pack, sums):
        from weighbridge.model.digest import combine

        assert combine([(e.name, s) for e, s in zip(pack.entries, sums, strict=True)]) == hash_model(model)
