"""What an overlay without an upper layer proves: nothing, but where its layers lie outside of a container of root."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from weighbridge.model.layers import out_of_reach

FIRST_USER, FIRST_PID, OTHER_PID = "user:[4026531837]", "pid:[4026531836]", "pid:[4026532180]"


def proc_of(directory: Path, *, user: str = FIRST_USER, pid: str = OTHER_PID) -> Path:
    namespaces = directory / "self" / "ns"
    namespaces.mkdir(parents=True)
    (namespaces / "user").symlink_to(user)
    (namespaces / "pid").symlink_to(pid)
    return directory


@pytest.mark.parametrize(
    "options",
    [
        ("ro", "lowerdir=/nowhere/12/fs:/nowhere/11/fs"),
        ("ro", "lowerdir=12/fs:11/fs", "index=off"),
        ("ro", "lowerdir+=/nowhere/1", "lowerdir+=/nowhere/2", "datadir+=/nowhere/3"),
        ("ro", "lowerdir=/nowhere/a\\:b::/nowhere/data"),
    ],
)
def test_layers_that_lie_outside_of_the_container_are_out_of_reach(tmp_path: Path, options: tuple[str, ...]) -> None:
    assert out_of_reach(options, proc=proc_of(tmp_path))
    assert not out_of_reach(options, proc=tmp_path / "nothing")


@pytest.mark.parametrize(
    "options",
    [
        ("rw", "lowerdir=/nowhere/1:/nowhere/2"),
        ("ro", "lowerdir=/nowhere/1", "upperdir=/nowhere/u", "workdir=/nowhere/w"),
        ("ro",),
        ("ro", "lowerdir="),
        ("ro", "lowerdir=/nowhere/1:/tmp"),
        ("ro", "lowerdir+=/nowhere/1", "datadir+=/tmp"),
        ("ro", "lowerdir=/proc/1/mem/x:/" + "x" * 300),
    ],
)
def test_what_is_not_shown_to_be_out_of_reach_is_not(tmp_path: Path, options: tuple[str, ...]) -> None:
    assert not out_of_reach(options, proc=proc_of(tmp_path))


def test_a_name_with_a_colon_is_one_layer(tmp_path: Path) -> None:
    (tmp_path / "a:b").mkdir()
    escaped = str(tmp_path / "a\\:b")
    assert not out_of_reach(("ro", f"lowerdir=/nowhere/1:{escaped}"), proc=proc_of(tmp_path / "proc"))


@pytest.mark.parametrize("where", [{"user": "user:[4026532177]"}, {"pid": FIRST_PID}])
def test_in_a_user_namespace_and_on_the_host_no_overlay_counts(tmp_path: Path, where: dict[str, str]) -> None:
    """There the layers may be directories of whoever mounted it, by another name than the kernel shows."""
    assert not out_of_reach(("ro", "lowerdir=/nowhere/1:/nowhere/2"), proc=proc_of(tmp_path, **where))


LOWER = """
import mmap, subprocess, sys
from pathlib import Path
from weighbridge.errors import ModelError
from weighbridge.model import resources
from weighbridge.model.view import private_view

lower, model = Path(sys.argv[1]), Path(sys.argv[2])
done = subprocess.run(["mount", "-t", "overlay", "overlay", "-o", f"lowerdir={lower}/1:{lower}/2", str(model)])
if done.returncode != 0:
    sys.exit("no overlay in a user namespace here")
resources.free_memory = lambda proc=None: 0  # a model that does not fit into memory; disk there is
with (lower / "1" / "a.bin").open("r+b") as stream:
    writer = mmap.mmap(stream.fileno(), 0)
writer[:1] = writer[:1]
lower.rename(lower.with_name("renamed"))  # the kernel still shows the name of before
try:
    with private_view(model) as view:
        writer[:] = b"WEIGHTS"
        buffer = memoryview(bytearray(100))
        seen = b"".join(bytes(chunk) for chunk in view.read(view.entries[0], buffer=buffer))
        writer[:] = b"weights"
    print(view.kind.value, seen.decode())
except ModelError:
    print("refused")
"""


@pytest.mark.parametrize("more", [(), ("--pid", "--fork", "--mount-proc")], ids=["user", "container"])
def test_an_overlay_over_what_its_user_can_write_is_not_examined_where_it_lies(
    tmp_path: Path, more: tuple[str, ...]
) -> None:
    """As in rootless podman's image store, inside of a container and outside."""
    for name in ("lower/1", "lower/2", "model"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "lower" / "1" / "a.bin").write_bytes(b"weights")
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", *more, sys.executable, "-c", LOWER, tmp_path / "lower",
         tmp_path / "model"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        pytest.skip(done.stderr)

    assert "WEIGHTS" not in done.stdout


MOUNTED = """
import mmap, os, subprocess, sys
from pathlib import Path
from weighbridge.model import layers, resources
from weighbridge.model.view import private_view
from weighbridge.errors import ModelError

hub, lower = Path(sys.argv[1]), sys.argv[2]
subprocess.run(["mount", "-t", "overlay", "overlay", "-o", f"lowerdir={lower}/1:{lower}/2", str(hub)], check=True)
subprocess.run(["mount", "-t", "tmpfs", "tmpfs", lower], check=True)  # as if the layers were the host's
resources.free_memory = lambda proc=None: 0
resources.free_disk = lambda proc=None: None
blob = (hub / "model.bin").resolve()
with blob.open("r+b") as stream:
    writer = mmap.mmap(stream.fileno(), 0)
writer[:1] = writer[:1]  # dirty: the kernel notes no later store
try:
    with private_view(hub) as view:
        writer[:] = b"WEIGHTS"
        seen = blob.read_bytes()
        writer[:] = b"weights"
    print(view.kind.value, seen)
except ModelError as error:
    print("refused")
"""


@pytest.mark.root
def test_a_snapshot_on_an_image_volume_is_not_immutable_when_its_blobs_can_be_written(tmp_path: Path) -> None:
    blob = "4" * 64
    hub, lower = tmp_path / "models--org--name" / "snapshots" / "r1", tmp_path / "lower"
    for directory in (hub, hub.parents[1] / "blobs", lower / "1", lower / "2"):
        directory.mkdir(parents=True)
    (hub.parents[1] / "blobs" / blob).write_bytes(b"weights")
    (lower / "1" / "model.bin").symlink_to(f"../../blobs/{blob}")
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--mount-proc", sys.executable, "-c", MOUNTED, str(hub), str(lower)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr

    assert "immutable" not in done.stdout
