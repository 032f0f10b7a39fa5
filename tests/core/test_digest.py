from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from weighbridge.errors import ModelError, ParseError
from weighbridge.model import listing
from weighbridge.model.digest import Digest, combine, hash_model
from weighbridge.model.names import folded

PIPELINE = "find . -type f | LC_ALL=C sort | xargs -d '\\n' sha256sum | sed 's,  ./,  ,' | sha256sum"

NAMES = st.text(
    alphabet=st.characters(
        min_codepoint=0x21, max_codepoint=0x2FF, exclude_characters="/\\\x7f", exclude_categories=["Cc", "Cf", "Cs"]
    ),
    min_size=1,
    max_size=12,
).filter(lambda name: name not in (".", ".."))
TREES = st.dictionaries(NAMES, st.binary(max_size=40), min_size=1, max_size=6).filter(
    lambda tree: len({folded(name) for name in tree}) == len(tree)
)


def write_tree(root: Path, tree: dict[str, bytes]) -> Path:
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    for name, content in tree.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def by_pipeline(root: Path) -> str:
    return subprocess.run(["bash", "-c", PIPELINE], cwd=root, check=True, capture_output=True, text=True).stdout[:64]


def test_equals_find_sort_sha256sum(tmp_path: Path) -> None:
    root = write_tree(
        tmp_path / "m",
        {"b": b"1", "a/b": b"2", "a.b": b"", "a/c d/é": b"3" * 2_000_000, ".hidden/x": b"4", "Z": b"5", "a b": b"6"},
    )
    assert hash_model(root).hex == by_pipeline(root)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(tree=TREES)
def test_equals_find_sort_sha256sum_for_any_names(tmp_path: Path, tree: dict[str, bytes]) -> None:
    root = write_tree(tmp_path / "m", tree)
    assert hash_model(root).hex == by_pipeline(root)


def test_single_file_is_a_directory_with_that_one_name(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(b"weights")
    checksum = hashlib.sha256(b"weights").hexdigest()
    assert hash_model(file).hex == hashlib.sha256(f"{checksum}  model.onnx\n".encode()).hexdigest()
    assert hash_model(file) == hash_model(write_tree(tmp_path / "m", {"model.onnx": b"weights"}))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(tree=TREES, data=st.data())
def test_any_change_gives_another_digest(tmp_path: Path, tree: dict[str, bytes], data: st.DataObject) -> None:
    before = hash_model(write_tree(tmp_path / "m", tree))
    changed = dict(tree)
    name = data.draw(st.sampled_from(sorted(tree)))
    kind = data.draw(st.sampled_from(["rename", "flip", "append", "add", "remove"]))
    if kind == "rename":
        new = data.draw(NAMES.filter(lambda other: folded(other) not in {folded(each) for each in tree}))
        changed[new] = changed.pop(name)
    elif kind == "flip" and tree[name]:
        position = data.draw(st.integers(0, len(tree[name]) - 1))
        content = bytearray(tree[name])
        content[position] ^= 1 << data.draw(st.integers(0, 7))
        changed[name] = bytes(content)
    elif kind == "remove" and len(tree) > 1:
        del changed[name]
    elif kind == "add":
        changed[data.draw(NAMES.filter(lambda other: folded(other) not in {folded(each) for each in tree}))] = b""
    else:
        changed[name] = tree[name] + b"\0"
    assert hash_model(write_tree(tmp_path / "m", changed)) != before


def test_swapped_names_give_another_digest(tmp_path: Path) -> None:
    one = hash_model(write_tree(tmp_path / "1", {"a": b"x", "b": b"y"}))
    assert one != hash_model(write_tree(tmp_path / "2", {"a": b"y", "b": b"x"}))


@pytest.mark.parametrize(
    "kind",
    [
        *("file link", "directory link", "dangling link", "fifo", "socket"),
        pytest.param("device", marks=pytest.mark.device),
    ],
)
def test_refuses_what_is_no_regular_file(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_tree(tmp_path / "m", {"a": b"1", "d/x": b"2"})
    odd = root / "odd"
    if kind == "file link":
        odd.symlink_to("a")
    elif kind == "directory link":
        odd.symlink_to("d")
    elif kind == "dangling link":
        odd.symlink_to("nothing")
    elif kind == "fifo":
        os.mkfifo(odd)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            # A path of a socket has at most 107 bytes, and where tests keep their files is not ours to say.
            monkeypatch.chdir(root)
            server.bind(odd.name)
    else:
        os.mknod(odd, 0o600 | 0o020000, os.makedev(1, 3))
    with pytest.raises(ModelError, match="'odd' is a"):
        hash_model(root)


def test_says_what_a_virtual_environment_in_a_model_is(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(b"N.")
    place = tmp_path / "tools" / ".venv"
    place.mkdir(parents=True)
    (place / "pyvenv.cfg").write_text("home = /usr/bin\n")
    (place / "lib64").symlink_to("lib")
    with pytest.raises(ModelError, match=r"'tools/\.venv' is a virtual environment of Python") as refusal:
        hash_model(tmp_path)
    assert "move it out" in refusal.value.remedy


def test_refuses_a_model_that_is_itself_a_link(tmp_path: Path) -> None:
    write_tree(tmp_path / "m", {"a": b"1"})
    (tmp_path / "link").symlink_to("m")
    with pytest.raises(ModelError, match="is a symlink"):
        hash_model(tmp_path / "link")


@pytest.mark.parametrize("name", [b"new\nline", b"tab\t", b"back\\slash", b"\x7f", b"not-utf8-\xff"])
def test_refuses_names_that_break_a_line(tmp_path: Path, name: bytes) -> None:
    root = write_tree(tmp_path / "m", {"a": b"1"})
    (root / os.fsdecode(name)).write_bytes(b"")
    with pytest.raises(ModelError, match="name"):
        hash_model(root)


def test_refuses_names_where_the_locale_reads_them_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # In an ISO 8859-1 locale the byte E9 is read as é: the digest would be that of a tree whose name is C3 A9.
    root = write_tree(tmp_path / "m", {"\u00e9": b"1"})
    monkeypatch.setattr(os, "fsencode", lambda name: name.encode("iso-8859-1"))
    with pytest.raises(ModelError, match="another encoding"):
        hash_model(root)


def test_refuses_an_empty_directory_and_a_missing_one(tmp_path: Path) -> None:
    (tmp_path / "m" / "inner").mkdir(parents=True)
    with pytest.raises(ModelError, match="no file"):
        hash_model(tmp_path / "m")
    with pytest.raises(ModelError, match="cannot be read"):
        hash_model(tmp_path / "nothing")


LOCKED = """
import sys
from pathlib import Path
from weighbridge.errors import ModelError
from weighbridge.model.digest import hash_model
try:
    print(hash_model(Path(sys.argv[1])))
except ModelError as error:
    print(error.remedy)
"""


@pytest.mark.parametrize(
    ("locked", "words"), [("lost+found", "a directory of its own beneath"), ("other", "check the path")]
)
def test_a_volume_with_lost_and_found_is_told_what_to_do(tmp_path: Path, locked: str, words: str) -> None:
    """The root of every ext4 volume holds that directory, and only root may enter it."""
    user = ("unshare", "--user", "--map-user=1000") if os.getuid() == 0 else ()
    if user and subprocess.run([*user, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no user namespaces here, and root reaches everything")
    (tmp_path / "a.bin").touch()
    (tmp_path / locked).mkdir(mode=0)
    try:
        command = [*user, sys.executable, "-c", LOCKED, str(tmp_path)]
        assert words in subprocess.run(command, capture_output=True, text=True, check=True).stdout
    finally:
        (tmp_path / locked).chmod(0o700)


def test_a_model_that_cannot_be_opened_is_not_told_to_delete_the_cache_that_it_lies_in(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as refusal:
        hash_model(tmp_path / ".cache" / "huggingface" / "hub" / "gone")
    assert refusal.value.remedy == "check the path and its permissions"


def test_refuses_what_lies_too_deep(tmp_path: Path) -> None:
    deep = tmp_path / "m" / Path(*["d"] * (listing.MAX_DEPTH + 2))
    deep.mkdir(parents=True)
    (deep / "x").write_bytes(b"")
    with pytest.raises(ModelError, match="deeper") as refusal:
        hash_model(tmp_path / "m")
    assert "fewer directories" in refusal.value.remedy


def test_refuses_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MAX_FILES", 2)
    with pytest.raises(ModelError, match="more than 2 files") as refusal:
        hash_model(write_tree(tmp_path / "m", {"a": b"", "b": b"", "c": b""}))
    assert "take out" in refusal.value.remedy


def test_directories_count_as_files_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(100):
        (tmp_path / "model" / f"d{number}").mkdir(parents=True)
    (tmp_path / "model" / "d1" / "a.bin").touch()

    monkeypatch.setattr(listing, "MAX_FILES", 101)
    hash_model(tmp_path / "model")
    monkeypatch.setattr(listing, "MAX_FILES", 100)
    with pytest.raises(ModelError, match="more than"):
        hash_model(tmp_path / "model")


def test_every_refusal_of_a_model_says_what_to_do() -> None:
    with pytest.raises(TypeError):
        ModelError("it has no digest")  # type: ignore[call-arg]


def write_far(root: Path, *, size: int) -> str:
    """Make a file whose name has so many bytes, which no path can name at once, and return the name."""
    descriptor, parts = os.open(root, os.O_RDONLY), []
    while size > 255:
        part = "d" * (250 if size > 510 else size // 2)
        os.mkdir(part, dir_fd=descriptor)
        inner = os.open(part, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor, size = inner, size - len(part) - 1
        parts.append(part)
    os.close(os.open("f" * size, os.O_CREAT | os.O_WRONLY, dir_fd=descriptor))
    os.close(descriptor)
    return "/".join([*parts, "f" * size])


def test_the_longest_name_that_the_recipe_can_open_has_its_digest(tmp_path: Path) -> None:
    assert len(write_far(tmp_path, size=listing.MAX_PATH)) == listing.MAX_PATH
    done = subprocess.run(PIPELINE, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == hash_model(tmp_path).hex
    assert not done.stderr


def test_a_path_that_is_longer_than_any_path_may_be_has_no_digest(tmp_path: Path) -> None:
    """sha256sum cannot open it, so the recipe gives another digest; a worker's answer about it is no answer."""
    write_far(tmp_path, size=listing.MAX_PATH + 1)
    done = subprocess.run(PIPELINE, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "too long" in done.stderr

    with pytest.raises(ModelError, match="has more than 4093 bytes") as refusal:
        hash_model(tmp_path)
    assert "shorter" in refusal.value.remedy


class Interfering:
    """Changes the tree once, while it is being read."""

    def __init__(self, change: object) -> None:
        self._change = change
        self._lock = threading.Lock()

    def total(self, size: int, /) -> None:
        pass

    def advance(self, size: int, /) -> None:
        with self._lock:
            change, self._change = self._change, None
        if callable(change):
            change()


@pytest.mark.parametrize("change", ["append", "rewrite", "add", "remove", "replace"])
def test_refuses_a_model_that_changes_while_it_is_read(tmp_path: Path, change: str) -> None:
    root = write_tree(tmp_path / "m", {"a": b"1" * 3_000_000, "b": b"2"})

    def interfere() -> None:
        if change == "append":
            with (root / "a").open("ab") as stream:
                stream.write(b"more")
        elif change == "rewrite":
            with (root / "a").open("r+b") as stream:
                stream.write(b"X")
        elif change == "add":
            (root / "c").write_bytes(b"new")
        elif change == "remove":
            (root / "b").unlink()
        else:
            (tmp_path / "other").write_bytes(b"1" * 3_000_000)
            (tmp_path / "other").rename(root / "a")

    with pytest.raises(ModelError, match=r"changed|cannot be read"):
        hash_model(root, progress=Interfering(interfere))


def test_reports_progress_in_bytes(tmp_path: Path) -> None:
    seen = []

    class Meter:
        def total(self, size: int, /) -> None:
            seen.append(size)

        def advance(self, size: int, /) -> None:
            seen.append(-size)

    hash_model(write_tree(tmp_path / "m", {"a": b"12", "b": b"345"}), progress=Meter())
    assert seen[0] == 5
    assert sum(seen) == 0


@given(st.binary(min_size=32, max_size=32))
def test_digest_round_trips(value: bytes) -> None:
    found = Digest(value.hex())
    assert Digest.parse(str(found)) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "dirHash:",
        "dirHash:" + "A" * 64,
        "sha256:" + "0" * 64,
        "0" * 64,
        "dirHash:" + "0" * 63,
        "dirHash:" + "0" * 64 + "\n",
    ],
)
def test_refuses_a_text_that_is_no_digest(text: str) -> None:
    with pytest.raises(ParseError):
        Digest.parse(text)


def test_combine_is_go_hash1_of_its_lines() -> None:
    assert combine([("a", "0" * 64)]).hex == hashlib.sha256(b"0" * 64 + b"  a\n").hexdigest()
