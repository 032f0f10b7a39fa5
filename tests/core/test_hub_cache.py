"""The Hub's cache: links into its own blobs are files, and no other link is."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from weighbridge.errors import ModelError
from weighbridge.model.digest import hash_model
from weighbridge.model.hub_cache import open_cache
from weighbridge.model.tree import BUFFER, open_tree
from weighbridge.oci.image import read_image

REVISION = "0123456789abcdef0123456789abcdef01234567"
FILES = {"config.json": b"{}", "model.safetensors": b"weights" * 300_000, "onnx/model.onnx": b"graph"}


def make_cache(hub: Path) -> Path:
    """Make what ``huggingface_hub.snapshot_download`` leaves, and return the snapshot."""
    repository = hub / "models--org--name"
    snapshot = repository / "snapshots" / REVISION
    (repository / "blobs").mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(REVISION)
    for name, content in FILES.items():
        blob = hashlib.sha256(content).hexdigest() if len(content) > 100 else hashlib.sha1(content).hexdigest()
        (repository / "blobs" / blob).write_bytes(content)
        link = snapshot / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(repository / "blobs" / blob, link.parent))
    return snapshot


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    return make_cache(tmp_path / "hub")


def blob(snapshot: Path) -> Path:
    return sorted((snapshot.parents[1] / "blobs").iterdir())[0]


def copied(snapshot: Path, target: Path) -> Path:
    subprocess.run(["cp", "-rL", str(snapshot), str(target)], check=True)
    return target


def test_a_snapshot_has_the_digest_of_its_copy(tmp_path: Path, snapshot: Path) -> None:
    # huggingface_hub #1388 and its like: every tool that refuses links refuses the cache, where most models lie.
    copy = copied(snapshot, tmp_path / "copy")
    assert hash_model(snapshot) == hash_model(copy)
    assert read_image(snapshot) != read_image(copy)  # entries say which blob was read
    assert read_image(snapshot).manifest_digest == read_image(copy).manifest_digest
    script = r"find -L . -type f | LC_ALL=C sort | xargs -d '\n' sha256sum | sed 's,  ./,  ,' | sha256sum"
    done = subprocess.run(["bash", "-c", script], cwd=snapshot, capture_output=True, text=True, check=True)
    assert done.stdout[:64] == hash_model(snapshot).hex


def test_a_snapshot_is_found_by_any_path_that_leads_to_it(
    tmp_path: Path, snapshot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = hash_model(snapshot)
    (tmp_path / "elsewhere").symlink_to(snapshot.parent)
    assert hash_model(tmp_path / "elsewhere" / REVISION) == expected
    monkeypatch.chdir(snapshot)
    assert hash_model(Path()) == expected


def test_a_file_that_is_no_link_counts_beside_the_links(snapshot: Path) -> None:
    before = hash_model(snapshot)
    (snapshot / "README.md").write_bytes(b"mine")
    assert hash_model(snapshot) != before


TARGETS: dict[str, Callable[[Path], str | Path]] = {
    "absolute": lambda s: "/etc/passwd",
    "absolute into the blobs": blob,
    "upwards": lambda s: "../../refs/main",
    "one level too many": lambda s: f"../../../models--org--name/blobs/{blob(s).name}",
    "detour": lambda s: f"../../blobs/../blobs/{blob(s).name}",
    "doubled slash": lambda s: f"../../blobs//{blob(s).name}",
    "depth of another directory": lambda s: f"../../../blobs/{blob(s).name}",
    "name that is no checksum": lambda s: "../../blobs/evil",
    "blob that is a link": lambda s: "../../blobs/" + "1" * 64,
    "blob that is a directory": lambda s: "../../blobs/" + "2" * 64,
    "blob that is a FIFO": lambda s: "../../blobs/" + "3" * 64,
    "link to a link": lambda s: "config.json",
    "link to a directory": lambda s: "onnx",
}


def plant(snapshot: Path) -> None:
    """Put things beside the blobs that no link may lead to."""
    blobs = snapshot.parents[1] / "blobs"
    (blobs / "evil").write_bytes(b"")
    (blobs / ("1" * 64)).symlink_to("/etc/passwd")
    (blobs / ("2" * 64)).mkdir()
    os.mkfifo(blobs / ("3" * 64))


@pytest.mark.parametrize("kind", list(TARGETS))
def test_every_other_link_is_refused_with_what_to_do(snapshot: Path, kind: str) -> None:
    target = TARGETS[kind](snapshot)
    plant(snapshot)
    (snapshot / "x").symlink_to(target)
    with pytest.raises(ModelError, match="x' is a symlink") as refusal:
        hash_model(snapshot)
    assert "cp -rL SRC DST" in refusal.value.remedy


@pytest.mark.parametrize("layout", ["repository", "snapshots", "blobs is a link", "moved out"])
def test_links_are_refused_where_the_layout_is_another(tmp_path: Path, snapshot: Path, layout: str) -> None:
    repository = snapshot.parents[1]
    if layout == "repository":
        moved = repository.rename(tmp_path / "hub" / "datasets--org--name") / "snapshots" / REVISION
    elif layout == "snapshots":
        moved = snapshot.parent.rename(repository / "revisions") / REVISION
    elif layout == "blobs is a link":
        (repository / "blobs").rename(tmp_path / "elsewhere")
        (repository / "blobs").symlink_to(tmp_path / "elsewhere")
        moved = snapshot
    else:
        # The path reads as a snapshot, but the directory lies elsewhere.
        shutil.copytree(snapshot, tmp_path / "outside" / REVISION, symlinks=True)
        shutil.rmtree(snapshot.parent)
        snapshot.parent.symlink_to(tmp_path / "outside")
        moved = snapshot
    with pytest.raises(ModelError, match="is a symlink"):
        hash_model(moved)


def test_a_link_given_as_the_model_is_refused_with_what_to_do(tmp_path: Path, snapshot: Path) -> None:
    with pytest.raises(ModelError, match="is a symlink") as refusal:
        hash_model(snapshot / "model.safetensors")
    assert "snapshots/REVISION" in refusal.value.remedy
    (tmp_path / "link").symlink_to(snapshot)
    with pytest.raises(ModelError, match="is a symlink") as refusal:
        hash_model(tmp_path / "link")
    assert "realpath" in refusal.value.remedy


def swap_blobs(snapshot: Path, outside: Path) -> None:
    blobs = snapshot.parents[1] / "blobs"
    blobs.rename(outside / "old")
    blobs.symlink_to(outside / "evil")


def swap_snapshots(snapshot: Path, outside: Path) -> None:
    snapshot.parent.rename(outside / "old-snapshots")
    snapshot.parent.symlink_to(outside / "evil")


def swap_directory(snapshot: Path, outside: Path) -> None:
    (snapshot / "onnx").rename(outside / "old-onnx")
    (snapshot / "onnx").symlink_to(outside / "evil")


def swap_link(snapshot: Path, outside: Path) -> None:
    (snapshot / "onnx" / "model.onnx").unlink()
    (snapshot / "onnx" / "model.onnx").symlink_to(outside / "evil" / "model.onnx")


def swap_link_for_another_blob(snapshot: Path, outside: Path) -> None:
    (snapshot / "onnx" / "model.onnx").unlink()
    (snapshot / "onnx" / "model.onnx").symlink_to(f"../../../blobs/{hashlib.sha1(b'{}').hexdigest()}")


def swap_blob_for_a_link(snapshot: Path, outside: Path) -> None:
    target = snapshot.parents[1] / "blobs" / hashlib.sha1(FILES["onnx/model.onnx"]).hexdigest()
    target.unlink()
    target.symlink_to(outside / "evil" / "model.onnx")


def rewrite_blob(snapshot: Path, outside: Path) -> None:
    target = snapshot.parents[1] / "blobs" / hashlib.sha1(FILES["onnx/model.onnx"]).hexdigest()
    target.write_bytes(b"GRAPH")


SWAPS = [
    swap_blobs,
    swap_directory,
    swap_link,
    swap_link_for_another_blob,
    swap_blob_for_a_link,
    rewrite_blob,
]


@pytest.mark.parametrize("swap", [*SWAPS, swap_snapshots])
def test_what_is_swapped_after_the_listing_never_leads_out(
    tmp_path: Path, snapshot: Path, swap: Callable[[Path, Path], None]
) -> None:
    evil = tmp_path / "evil"
    evil.mkdir()
    for name in FILES:
        (evil / Path(name).name).write_bytes(b"evil!")
    for file in (snapshot.parents[1] / "blobs").iterdir():
        (evil / file.name).write_bytes(b"evil!")
    seen: list[bytes] = []
    refused = False
    with open_tree(snapshot) as tree:
        swap(snapshot, tmp_path)
        for entry in tree.entries:
            try:
                seen += [bytes(chunk) for chunk in tree.read(entry, buffer=memoryview(bytearray(BUFFER)))]
            except ModelError:
                refused = True
        try:
            tree.require_unchanged()
        except ModelError:
            refused = True
    assert not [chunk for chunk in seen if b"evil" in chunk]
    assert refused or swap is swap_snapshots  # the open directory is still what was listed, wherever it lies now


@pytest.mark.parametrize("swap", [swap_link, swap_link_for_another_blob, swap_blob_for_a_link])
def test_a_swapped_link_or_blob_is_not_even_opened(
    tmp_path: Path, snapshot: Path, swap: Callable[[Path, Path], None]
) -> None:
    # Whoever opens a file to copy it compares later or never, so the descriptor itself must be of the listed blob.
    (tmp_path / "evil").mkdir()
    (tmp_path / "evil" / "model.onnx").write_bytes(b"evil!")
    with open_tree(snapshot) as tree:
        (entry,) = [each for each in tree.entries if each.name == "onnx/model.onnx"]
        os.close(tree.open(entry))
        swap(snapshot, tmp_path)
        with pytest.raises(ModelError):
            tree.open(entry)


def test_a_directory_that_the_path_does_not_really_lead_to_has_no_cache(tmp_path: Path, snapshot: Path) -> None:
    # The path is a snapshot's by now, but what was opened before is another directory.
    stray = tmp_path / "stray" / "snapshots" / REVISION
    stray.mkdir(parents=True)
    (tmp_path / "stray" / "blobs").mkdir()
    for opened, expected in ((snapshot, True), (stray, False)):
        root = os.open(opened, os.O_RDONLY)
        try:
            with open_cache(snapshot, root=root) as cache:
                assert (cache is not None) is expected
        finally:
            os.close(root)


def test_a_blob_that_is_not_there_is_to_be_downloaded(snapshot: Path) -> None:
    blob(snapshot).unlink()
    with pytest.raises(ModelError, match="was not downloaded") as refusal:
        hash_model(snapshot)
    assert "hf download" in refusal.value.remedy


def test_a_whole_repository_is_no_model(snapshot: Path) -> None:
    with pytest.raises(ModelError, match="several revisions") as refusal:
        hash_model(snapshot.parents[1])
    assert "snapshots/REVISION" in refusal.value.remedy
