"""A layer holds plain files and directories as we write them; everything else is refused."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oci.test_image import layer_bytes, make_model
from weighbridge.errors import ParseError, WeighbridgeError
from weighbridge.model.digest import hash_model
from weighbridge.oci import tar
from weighbridge.oci.image import read_image
from weighbridge.oci.untar import unpack


def pieces(data: bytes, size: int = 700) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def unpacked(data: bytes, into: Path) -> Path:
    into.mkdir()
    unpack(iter(pieces(data)), into=into)
    return into


def foreign(**changes: object) -> bytes:
    """A layer with one entry as Python's own tar module writes it, after changes."""
    member = tarfile.TarInfo("file")
    for name, value in changes.items():
        setattr(member, name, value)
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(member, io.BytesIO(bytes(member.size)))
    return target.getvalue()


def ours(name: str, content: bytes = b"x") -> bytes:
    return tar.file_header(name, len(content)) + content + tar.padding(len(content))


def test_what_was_packed_comes_back(tmp_path: Path) -> None:
    model = make_model(tmp_path / "model")
    back = unpacked(layer_bytes(model, read_image(model)), tmp_path / "back")
    assert hash_model(back) == hash_model(model)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "symlink": lambda: foreign(type=tarfile.SYMTYPE, linkname="/etc"),
    "hard link": lambda: foreign(type=tarfile.LNKTYPE, linkname="/etc/passwd"),
    "device": lambda: foreign(type=tarfile.CHRTYPE, devmajor=1, devminor=3),
    "FIFO": lambda: foreign(type=tarfile.FIFOTYPE),
    "sparse file": lambda: foreign(type=tarfile.GNUTYPE_SPARSE),
    "set-uid": lambda: foreign(mode=0o4755),
    "owner": lambda: foreign(uid=1000),
    "time": lambda: foreign(mtime=1),
    "unknown pax record": lambda: foreign(pax_headers={"SCHILY.xattr.user.x": "1"}),
    "absolute name": lambda: ours("/etc/passwd") + tar.END,
    "parent": lambda: ours("../outside") + tar.END,
    "parent inside": lambda: tar.directory_header("d") + ours("d/../../outside") + tar.END,
    "dot": lambda: ours("./file") + tar.END,
    "empty part": lambda: tar.directory_header("d") + ours("d//f") + tar.END,
    "control character": lambda: ours("a\nb") + tar.END,
    "backslash": lambda: ours("a\\b") + tar.END,
    "too deep": lambda: ours("/".join(["d"] * 70)) + tar.END,
    "twice": lambda: ours("f") + ours("f") + tar.END,
    "file as directory": lambda: ours("f") + ours("f/g") + tar.END,
    "no directory": lambda: ours("d/f") + tar.END,
    "no end": lambda: ours("f"),
    "half an end": lambda: ours("f") + bytes(512) + ours("g"),
    "more behind the end": lambda: ours("f") + tar.END + b"more",
    "cut off": lambda: ours("f", b"x" * 5000)[:2000],
    "bytes in the padding": lambda: tar.file_header("f", 1) + b"x" + b"hidden".ljust(511, b"\0") + tar.END,
    "wrong checksum": lambda: b"g" + ours("f")[1:] + tar.END,
    "huge extended header": lambda: tar._header(b"pax", 10**7, tar.PAX, 0o444) + bytes(10**4),
    "nothing": lambda: b"",
}


@pytest.mark.parametrize("case", sorted(HOSTILE))
def test_refuses_every_entry_that_we_would_not_write(tmp_path: Path, case: str) -> None:
    (tmp_path / "sub").mkdir()
    with pytest.raises(ParseError):
        unpacked(HOSTILE[case](), tmp_path / "sub" / "in")
    outside = {path.name for path in tmp_path.rglob("*")} - {"sub", "in", "f", "d"}
    assert outside == set()


@given(st.binary(max_size=3000), st.integers(0, 4000))
def test_changed_bytes_are_refused_or_give_another_model(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int
) -> None:
    good = tar.directory_header("d") + ours("d/file", b"content") + tar.END
    data = good[: at % len(good)] + noise + good[at % len(good) :]
    target = tmp_path_factory.mktemp("layer") / "in"
    try:
        unpacked(data, target)
    except WeighbridgeError:
        return
    assert sum(path.stat().st_size for path in target.rglob("*") if path.is_file()) <= len(data)
