from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.checks.worker.forging import as_user
from weighbridge import _libc
from weighbridge.errors import ModelError
from weighbridge.model import view as module
from weighbridge.model.choice import Room, ViewKind
from weighbridge.model.digest import Silent, hash_model
from weighbridge.model.pack import NoRoomError
from weighbridge.model.tree import BUFFER
from weighbridge.model.view import PrivateView, private_view
from weighbridge.oci.image import image_of, read_image

PLENTY = 2**50
ROOMS = {
    ViewKind.SEALED: Room(memory=PLENTY, disk=PLENTY, unwritable=False, place=Path("/var/tmp")),
    ViewKind.COPY: Room(memory=0, disk=PLENTY, unwritable=False, place=Path("/var/tmp")),
    ViewKind.IMMUTABLE: Room(memory=0, disk=0, unwritable=True),
    ViewKind.WATCHED: Room(memory=0, disk=0, unwritable=False),
}
PACKED = (ViewKind.SEALED, ViewKind.COPY)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    directory = tmp_path / "model"
    (directory / "sub").mkdir(parents=True)
    (directory / "a.bin").write_bytes(b"a" * (BUFFER + 1))
    (directory / "sub" / "b.bin").write_bytes(b"b" * 5000)
    return directory


def read(view: PrivateView, name: str) -> bytes:
    entry = next(entry for entry in view.entries if entry.name == name)
    return b"".join(bytes(chunk) for chunk in view.read(entry, buffer=memoryview(bytearray(BUFFER))))


@pytest.mark.parametrize("kind", ViewKind)
@pytest.mark.parametrize("name", [".", "a.bin"])
def test_every_kind_has_the_digest_and_the_image_of_the_model(model: Path, kind: ViewKind, name: str) -> None:
    with private_view(model / name, room=ROOMS[kind]) as view:
        assert view.kind is kind
        assert view.digest == hash_model(model / name)
        image = image_of(view, progress=Silent())
        assert image == read_image(model / name)
        assert read(view, "a.bin") == (model / "a.bin").read_bytes()
        view.require_source_unchanged()


@pytest.mark.parametrize("kind", ViewKind)
def test_says_in_one_sentence_what_was_had_and_names_no_path(model: Path, kind: ViewKind) -> None:
    with private_view(model, room=ROOMS[kind]) as view:
        assert "\n" not in view.summary
        assert str(model) not in view.summary
        assert ("THE MODEL WAS READ WHERE IT LIES" in view.summary) is (kind is ViewKind.WATCHED)


def test_without_room_given_the_machine_is_asked(model: Path) -> None:
    with private_view(model) as view:
        assert view.kind in PACKED


@pytest.mark.parametrize("kind", PACKED)
def test_a_copy_stays_when_the_model_goes(model: Path, kind: ViewKind) -> None:
    with private_view(model, room=ROOMS[kind]) as view:
        digest = view.digest
        (model / "a.bin").write_bytes(b"other")
        (model / "sub" / "b.bin").unlink()
        (model / "new.bin").write_bytes(b"new")
        assert read(view, "sub/b.bin") == b"b" * 5000
        assert image_of(view, progress=Silent()).digest == digest
        with pytest.raises(ModelError, match=r"the model changed .*: a\.bin, new\.bin, sub/b\.bin$"):
            view.require_source_unchanged()


@pytest.mark.parametrize(
    ("kind", "name"), [(ViewKind.IMMUTABLE, "."), (ViewKind.WATCHED, "."), (ViewKind.WATCHED, "a.bin")]
)
def test_without_a_copy_a_change_is_found_at_the_end(model: Path, kind: ViewKind, name: str) -> None:
    (model.parent / "other").write_bytes(b"other")
    with pytest.raises(ModelError, match="changed"), private_view(model / name, room=ROOMS[kind]):
        os.replace(model.parent / "other", model / "a.bin")


def test_names_a_few_of_many_files_that_differ(model: Path) -> None:
    with private_view(model, room=ROOMS[ViewKind.SEALED]) as view:
        for number in range(7):
            (model / f"n{number}").write_bytes(b"")
        with pytest.raises(ModelError, match=r": n0, n1, n2, n3, n4 and 2 more$"):
            view.require_source_unchanged()


def test_other_times_on_the_same_bytes_are_no_change(model: Path) -> None:
    with private_view(model, room=ROOMS[ViewKind.SEALED]) as view:
        os.utime(model / "a.bin", (0, 0))
        view.require_source_unchanged()


def test_an_error_in_the_midst_is_not_hidden_by_the_last_look(model: Path) -> None:
    def meddle() -> None:
        (model / "a.bin").unlink()
        raise ValueError("an error of mine")

    with pytest.raises(ValueError, match="of mine"), private_view(model, room=ROOMS[ViewKind.WATCHED]):
        meddle()


@pytest.mark.parametrize("kind", ViewKind)
def test_leaves_nothing_open(model: Path, kind: ViewKind) -> None:
    before = sorted(os.listdir("/proc/self/fd"))
    with private_view(model, room=ROOMS[kind]) as view, view.opened():
        pass
    assert sorted(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(
    ("refusing", "kind"),
    [(("seal",), ViewKind.COPY), (("seal", "copy"), ViewKind.WATCHED)],
)
def test_takes_the_next_kind_where_one_is_not_to_be_had(
    model: Path, monkeypatch: pytest.MonkeyPatch, refusing: tuple[str, ...], kind: ViewKind
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise NoRoomError("nothing to be had today")

    for name in refusing:
        monkeypatch.setattr(module, name, refuse)
    with private_view(model, room=ROOMS[ViewKind.SEALED]) as view:
        assert view.kind is kind
        assert "nothing to be had today" in view.summary


def test_a_reader_gets_a_descriptor_of_its_own_that_cannot_write(model: Path) -> None:
    with private_view(model, room=ROOMS[ViewKind.SEALED]) as view, view.opened() as one, view.opened() as other:
        os.lseek(one, 100, os.SEEK_SET)
        assert os.lseek(other, 0, os.SEEK_CUR) == 0
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.write(one, b"X")


def test_where_proc_is_closed_a_reader_gets_a_duplicate(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with private_view(model, room=ROOMS[ViewKind.SEALED]) as view:
        monkeypatch.setattr(os, "open", lambda *_, **__: (_ for _ in ()).throw(PermissionError()))
        with view.opened() as descriptor:
            assert os.fstat(descriptor).st_ino == os.fstat(view.descriptor).st_ino


@pytest.mark.parametrize("kind", ViewKind)
def test_who_holds_a_view_cannot_be_looked_into(model: Path, kind: ViewKind) -> None:
    def dumpable() -> int:
        return _libc.prctl(_libc.PR_GET_DUMPABLE)

    assert dumpable() == 1
    with private_view(model, room=ROOMS[kind]):
        assert dumpable() == 0
    assert dumpable() == 1


MEDDLING = """
import os, subprocess, sys
from pathlib import Path
from weighbridge.errors import ModelError
from weighbridge.model import view as module
from weighbridge.model.choice import Room
from weighbridge.model.shield import Shield
from contextlib import nullcontext

if sys.argv[2] == "unprotected":
    Shield.up = lambda self: nullcontext()
try:
    room = Room(memory=0, disk=2**50, unwritable=False, place=Path("/var/tmp"))
    with module.private_view(Path(sys.argv[1]), room=room) as view:
        path = f"/proc/{os.getpid()}/fd/{view.descriptor}"
        meddler = "import os, sys; os.chmod(sys.argv[1], 0o600)"
        done = subprocess.run([sys.executable, "-c", meddler, path], capture_output=True)
        print(view.kind, "reached" if done.returncode == 0 else "denied")
except ModelError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("protection", "said"),
    [("protected", ["copy denied"]), ("unprotected", ["copy reached", "the private copy of the model was changed"])],
)
def test_another_process_of_the_same_user_cannot_reach_a_copy(model: Path, protection: str, said: list[str]) -> None:
    user = ("unshare", "--user", "--map-user=1000") if os.getuid() == 0 else ()
    if user and subprocess.run([*user, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("no user namespaces here, and root reaches everything")
    done = subprocess.run(
        [*user, sys.executable, "-c", MEDDLING, str(model), protection], capture_output=True, text=True, check=False
    )
    lines = done.stdout.splitlines()
    assert len(lines) == len(said), done.stderr
    assert all(line.startswith(start) for line, start in zip(lines, said, strict=True)), lines


HELD = """
import os, subprocess, sys
victim = subprocess.Popen([sys.executable, "-c", '''
import sys
from pathlib import Path
from weighbridge.model.view import private_view
with private_view(Path(sys.argv[1])) as view:
    print(view.kind.value, flush=True)
    sys.stdin.readline()
''', sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
print(victim.stdout.readline().strip(), end=" ")
try:
    os.close(os.open(f"/proc/{victim.pid}/mem", os.O_RDWR))
    print("reached")
except OSError:
    print("denied")
victim.communicate("\\n")
"""


def test_who_holds_a_sealed_view_cannot_be_looked_into_either(model: Path) -> None:
    assert as_user(HELD, model) == "sealed denied\n"


@pytest.mark.parametrize("kind", PACKED)
def test_whatever_a_racing_writer_does_the_checksums_are_of_the_bytes_in_the_view(model: Path, kind: ViewKind) -> None:
    stop = threading.Event()
    made = race(model, ROOMS[kind], stop, views=20, check=lambda view: [
        hashlib.sha256(read(view, file.name)).hexdigest() == file.sha256 for file in view.files
    ])  # fmt: skip
    assert made
    assert all(all(each) for each in made)


MOST_RUNS = 5_000
"""Tries to make a view beside a writer, most of which are refused."""


def race(
    model: Path, room: Room, stop: threading.Event, *, views: int, check: Callable[[PrivateView], Any]
) -> list[Any]:
    """Make views while a writer rewrites, exchanges and maps the files; those that are refused are left out."""
    with (model / "a.bin").open("r+b") as stream:
        content = mmap.mmap(stream.fileno(), 0)

    def write() -> None:
        count = 0
        while not stop.is_set():
            count += 1
            content[count % len(content)] = count % 256
            if count % 500 == 0:
                (model.parent / "next").write_bytes(bytes([count // 500 % 256]) * 5000)
                os.replace(model.parent / "next", model / "sub" / "b.bin")
                # Without a pause no listing would ever be the same twice, and no view would be made.
                time.sleep(0.01)

    thread = threading.Thread(target=write)
    thread.start()
    found: list[Any] = []
    try:
        for _ in range(MOST_RUNS):
            if len(found) == views:
                break
            with contextlib.suppress(ModelError), private_view(model, room=room) as view:
                found.append(check(view))
    finally:
        stop.set()
        thread.join()
        content.close()
    return found
