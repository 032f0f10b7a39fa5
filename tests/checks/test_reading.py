"""The one way in which checks read a model's files, for each kind of view and in place."""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.builders import request_for
from tests.model.test_view import ROOMS
from weighbridge.checks.interface import CheckRequest, ModelFile, ModelScanOptions
from weighbridge.checks.reading import mapped, opened, read_whole
from weighbridge.checks.run import given_view
from weighbridge.errors import ModelError
from weighbridge.model.choice import ViewKind
from weighbridge.model.view import private_view

CONTENT = {"a.bin": os.urandom(mmap.PAGESIZE + 1), "empty": b"", "sub/deep/b.bin": b"b" * 10}
WAYS = ("in place", *ViewKind)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    for name, content in CONTENT.items():
        (tmp_path / "model" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "model" / name).write_bytes(content)
    return tmp_path / "model"


@contextmanager
def files_of(model: Path, way: str) -> Iterator[dict[str, ModelFile]]:
    if way == "in place":
        yield {file.name: file for file in request_for(model, ModelScanOptions()).files}
        return
    plain = CheckRequest(model=str(model), options=ModelScanOptions())
    with private_view(model, room=ROOMS[ViewKind(way)]) as view, given_view(plain, view) as request:
        yield {file.name: file for file in request.files}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_gives_the_same_bytes(model: Path, way: str) -> None:
    with files_of(model, way) as files:
        assert {name: read_whole(file, limit=10**6) for name, file in files.items()} == CONTENT
        for name, file in files.items():
            with mapped(file) as content:
                assert bytes(content) == CONTENT[name]
        assert read_whole(files["a.bin"], limit=9) == CONTENT["a.bin"][:10]


@pytest.mark.parametrize("way", WAYS)
def test_what_is_opened_is_closed(model: Path, way: str) -> None:
    with files_of(model, way) as files:
        before = len(os.listdir("/proc/self/fd"))
        with opened(files["sub/deep/b.bin"]) as found:
            assert found.regular
            assert found.unchanged()
        assert len(os.listdir("/proc/self/fd")) == before


def longer(model: Path, _: Path) -> None:
    (model / "sub/deep/b.bin").write_bytes(b"e" * 11)


def shorter(model: Path, _: Path) -> None:
    (model / "sub/deep/b.bin").write_bytes(b"e" * 9)


def gone(model: Path, _: Path) -> None:
    (model / "sub/deep/b.bin").unlink()


def link(model: Path, other: Path) -> None:
    gone(model, other)
    (model / "sub/deep/b.bin").symlink_to(other / "deep" / "b.bin")


def directory_link(model: Path, other: Path) -> None:
    (model / "sub").rename(other / "sub")
    (model / "sub").symlink_to(other)


@pytest.mark.parametrize("change", [longer, shorter, gone, link])
def test_in_place_what_is_not_what_was_listed_is_not_read(
    model: Path, tmp_path: Path, change: Callable[[Path, Path], None]
) -> None:
    refuses(model, tmp_path, "in place", change)


@pytest.mark.parametrize("kind", [ViewKind.WATCHED, ViewKind.IMMUTABLE])
@pytest.mark.parametrize("change", [longer, shorter, gone, link, directory_link])
def test_in_a_view_in_place_it_is_not_read_either_and_the_view_does_not_count(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: ViewKind, change: Callable[[Path, Path], None]
) -> None:
    monkeypatch.setattr("weighbridge.model.watch.MAX_LEASES", 0)  # or the writer would wait for the lease
    with pytest.raises(ModelError, match=r"changed|cannot be read|is a symlink"):
        refuses(model, tmp_path, kind, change)


def refuses(model: Path, directory: Path, way: str, change: Callable[[Path, Path], None]) -> None:
    (directory / "other" / "deep").mkdir(parents=True)
    (directory / "other" / "deep" / "b.bin").write_bytes(b"e" * 10)
    with files_of(model, way) as files:
        change(model, directory / "other")
        with pytest.raises(OSError, match=r"not as long|No such file|Too many levels|Not a directory"):
            read_whole(files["sub/deep/b.bin"], limit=100)


def test_a_pack_that_is_too_short_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "pack").write_bytes(b"12345")
    descriptor = os.open(tmp_path / "pack", os.O_RDONLY)
    try:
        assert read_whole(ModelFile(name="a", size=2, descriptor=descriptor, start=3), limit=9) == b"45"
        with pytest.raises(OSError, match="not as long as it was"):
            read_whole(ModelFile(name="a", size=3, descriptor=descriptor, start=3), limit=9)
    finally:
        os.close(descriptor)
    with pytest.raises(OSError, match="Bad file descriptor"):
        read_whole(ModelFile(name="a", size=3, descriptor=descriptor, start=3), limit=9)
