from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from weighbridge.model.mounts import Mount, lies_unwritable, mount_of, mounts, parse_mounts, unwritable

LINES = """\
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
36 27 0:31 / /models/a rw,relatime master:1 propagate_from:2 - overlay overlay ro,lowerdir=/l/1:/l/2
37 27 0:32 / /models/b ro,relatime shared:9 - overlay overlay rw,lowerdir=/l/1,upperdir=/u,workdir=/w
38 27 254:0 /srv /models/with\\040space ro,relatime - ext4 /dev/vda rw
39 27 7:0 / /models/c ro,relatime - squashfs /dev/loop0 ro,errors=continue
a line that is none
40 27 0:33 /
x 27 0:34 / /p rw - tmpfs tmpfs rw
41 27 0:35 / /models/d rw
"""


def test_reads_points_kinds_and_options_whatever_stands_between() -> None:
    found = parse_mounts(LINES)
    assert [(mount.id, mount.point, mount.kind) for mount in found] == [
        (27, "/", "ext4"),
        (36, "/models/a", "overlay"),
        (37, "/models/b", "overlay"),
        (38, "/models/with space", "ext4"),
        (39, "/models/c", "squashfs"),
    ]


def test_only_what_nobody_can_write_counts(tmp_path: Path) -> None:
    proc = fake_proc(tmp_path, number=36, place="/models/a")
    assert [unwritable(mount, proc=proc) for mount in parse_mounts(LINES)] == [False, True, False, False, True]


@pytest.mark.parametrize("kind", ["erofs", "iso9660", "cramfs", "romfs", "squashfs"])
def test_file_systems_without_writing_count(kind: str) -> None:
    assert unwritable(Mount(1, "/m", kind, ("ro",)))


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "tmpfs", "nfs4", "fuse.squashfuse", "virtiofs", "9p"])
def test_a_read_only_mount_of_anything_else_does_not_count(kind: str) -> None:
    assert not unwritable(Mount(1, "/m", kind, ("ro",)))


def test_the_real_kernel_says_through_which_mount_a_file_was_opened(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        mount = mount_of(descriptor, mounts())
        assert mount is not None
        assert tmp_path.resolve().is_relative_to(mount.point)
        assert not lies_unwritable(descriptor)
    finally:
        os.close(descriptor)


def fake_proc(directory: Path, *, number: int, place: str, extra: str = "") -> Path:
    for name in ("fdinfo", "fd", "ns"):
        (directory / "self" / name).mkdir(parents=True)
    (directory / "self" / "ns" / "user").symlink_to("user:[4026531837]")
    (directory / "self" / "ns" / "pid").symlink_to("pid:[4026532180]")
    (directory / "self" / "mountinfo").write_text(LINES + extra)
    (directory / "self" / "fdinfo" / "7").write_text(f"pos:\t0\nflags:\t0100000\nmnt_id:\t{number}\nino:\t2\n")
    (directory / "self" / "fd" / "7").symlink_to(place)
    return directory


@pytest.mark.parametrize(("number", "expected"), [(36, True), (39, True), (37, False), (38, False), (99, False)])
def test_the_mount_of_the_model_decides(tmp_path: Path, number: int, expected: bool) -> None:
    assert lies_unwritable(7, proc=fake_proc(tmp_path, number=number, place="/models/a/m")) is expected


def test_what_is_mounted_inside_the_model_could_be_written(tmp_path: Path) -> None:
    extra = "50 36 0:40 / /models/a/m/sub rw - tmpfs tmpfs rw\n"
    assert not lies_unwritable(7, proc=fake_proc(tmp_path, number=36, place="/models/a/m", extra=extra))


def test_what_cannot_be_asked_counts_as_written(tmp_path: Path) -> None:
    assert mounts(tmp_path) == ()
    assert not lies_unwritable(7, proc=tmp_path)
    proc = fake_proc(tmp_path, number=36, place="/models/a")
    (proc / "self/fd/7").unlink()
    assert not lies_unwritable(7, proc=proc)


MOUNT = """
import os, subprocess, sys
from pathlib import Path
from weighbridge.model.mounts import lies_unwritable
from weighbridge.model.choice import Room
from weighbridge.model.view import private_view

work = Path(sys.argv[1])
for name in ("host/one", "host/two", "overlay", "bind"):
    (work / name).mkdir(parents=True)
(work / "host" / "one" / "a.bin").write_bytes(b"weights")
(work / "host" / "two" / "b.bin").write_bytes(b"more")
layers = f"lowerdir={work}/host/one:{work}/host/two"
subprocess.run(["mount", "-t", "overlay", "-o", layers, "overlay", work / "overlay"], check=True)
subprocess.run(["mount", "--bind", work / "host" / "one", work / "bind"], check=True)
subprocess.run(["mount", "-o", "remount,bind,ro", work / "bind"], check=True)
for name in ("overlay", "bind"):
    with private_view(work / name, room=None) as view:
        print(name, lies_unwritable(os.open(work / name, os.O_RDONLY)), view.kind)
subprocess.run(["mount", "-t", "tmpfs", "tmpfs", work / "host"], check=True)  # as if the layers were the host's
unwritable = lies_unwritable(os.open(work / "overlay", os.O_RDONLY))
with private_view(work / "overlay", room=Room(memory=0, disk=0, unwritable=unwritable)) as view:
    print(view.kind, len(view.files))
"""
CONTAINER = ("unshare", "--mount", "--pid", "--fork", "--mount-proc")


@pytest.mark.root
def test_an_image_volume_counts_and_neither_reachable_layers_nor_a_read_only_bind_mount_do(tmp_path: Path) -> None:
    done = subprocess.run(
        [*CONTAINER, sys.executable, "-c", MOUNT, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.stdout.split("\n")[:3] == ["overlay False sealed", "bind False sealed", "immutable 2"], done.stderr
