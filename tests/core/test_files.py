from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from weighbridge import _libc
from weighbridge._files import make_directory, read_entry, read_limited, replace_contents, write_atomically, write_new
from weighbridge.errors import InputError, OutputError


@pytest.mark.root
@pytest.mark.parametrize("write", [write_atomically, write_new])
def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, write: object) -> None:
    assert callable(write)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", str(tmp_path)], check=True)
    try:
        with pytest.raises(OutputError, match="No space left"):
            write(tmp_path / "x.json", b"0" * 100_000)
        assert os.listdir(tmp_path) == []
        (tmp_path / "old").write_bytes(b"old")
        with pytest.raises(OutputError):
            write(tmp_path / "old", b"0" * 100_000)
        assert (tmp_path / "old").read_bytes() == b"old"
        assert os.listdir(tmp_path) == ["old"]
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.root
def test_a_read_only_target_leaves_nothing_behind(tmp_path: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", str(tmp_path)], check=True)
    try:
        for write in (write_atomically, write_new):
            with pytest.raises(OutputError, match="Read-only"):
                write(tmp_path / "x", b"1")
        with pytest.raises(OutputError, match="Read-only"):
            make_directory(tmp_path / "a" / "b")
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_write_new_replaces_nothing(tmp_path: Path) -> None:
    write_new(tmp_path / "x", b"1", mode=0o600)
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o600
    with pytest.raises(OutputError, match="File exists"):
        write_new(tmp_path / "x", b"2")
    assert (tmp_path / "x").read_bytes() == b"1"
    assert os.listdir(tmp_path) == ["x"]


def _refusing(number: int) -> Callable[..., None]:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK])
def test_a_file_system_without_hard_links_can_hold_keys_and_evidence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """FAT, exFAT and many file systems in user space."""
    monkeypatch.setattr(os, "link", _refusing(number))
    test_write_new_replaces_nothing(tmp_path)
    (tmp_path / "link").symlink_to("nothing")
    with pytest.raises(OutputError, match="File exists"):
        write_new(tmp_path / "link", b"2")
    assert sorted(os.listdir(tmp_path)) == ["link", "x"]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS])
def test_where_no_name_can_be_taken_safely_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(os, "link", _refusing(errno.EPERM))
    monkeypatch.setattr(_libc, "rename_new", _refusing(number))
    with pytest.raises(OutputError, match="no name without replacing") as caught:
        write_new(tmp_path / "x", b"1")
    assert "another place" in caught.value.remedy
    assert os.listdir(tmp_path) == []


def test_on_a_machine_whose_call_is_not_known_nothing_is_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_libc, "machine", lambda: "riscv64")
    (tmp_path / "x").touch()
    with pytest.raises(OSError, match="not implemented"):
        _libc.rename_new(str(tmp_path / "x"), str(tmp_path / "y"))
    assert os.listdir(tmp_path) == ["x"]


def test_other_contents_come_into_the_file_that_a_link_leads_to_and_its_mode_stays(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "target").chmod(0o640)
    (tmp_path / "x").symlink_to("target")
    replace_contents(tmp_path / "x", b"new")
    assert (tmp_path / "x").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"new"
    assert (tmp_path / "target").stat().st_mode & 0o777 == 0o640
    with pytest.raises(OutputError, match="No such file"):
        replace_contents(tmp_path / "absent", b"")


def test_write_atomically_replaces_a_link_and_not_its_target(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"precious")
    (tmp_path / "x").symlink_to("target")
    write_atomically(tmp_path / "x", b"new")
    assert (tmp_path / "target").read_bytes() == b"precious"
    assert not (tmp_path / "x").is_symlink()


def test_refuses_a_missing_directory(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="No such file"):
        write_atomically(tmp_path / "no" / "x", b"")


def test_reads_regular_files_within_a_limit_only(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"123")
    assert read_limited(tmp_path / "x", limit=3, what="it") == b"123"
    with pytest.raises(InputError, match="larger than 2"):
        read_limited(tmp_path / "x", limit=2, what="it")
    (tmp_path / "link").symlink_to("x")
    os.mkfifo(tmp_path / "fifo")
    for name in ("fifo", "nothing", "."):
        for read in (read_limited, read_entry):
            with pytest.raises(InputError):
                read(tmp_path / name, limit=9, what="it")
    # A link that somebody names, as Kubernetes mounts Secrets, is followed; one that lies in a directory is not.
    assert read_limited(tmp_path / "link", limit=3, what="it") == b"123"
    with pytest.raises(InputError, match="symbolic links"):
        read_entry(tmp_path / "link", limit=9, what="it")
