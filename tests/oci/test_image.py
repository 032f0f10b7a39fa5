"""The image of a model: deterministic, readable by others, and bound to the digest by one read."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from weighbridge.errors import ModelError, ParseError
from weighbridge.model import tree as _tree
from weighbridge.model.digest import ManifestDigest, hash_model
from weighbridge.oci import image as image_module
from weighbridge.oci import tar
from weighbridge.oci.image import MAX_LAYERS, ModelImage, layer_chunks, read_image

LONG = "d" * 60 + "/" + "n" * 120 + ".bin"


def make_model(path: Path) -> Path:
    for name, data in {"a/b/c.bin": b"c" * 700, "a/ä.txt": b"umlaut", "z": b"", LONG: b"long"}.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def layer_bytes(model: Path, image: ModelImage, index: int = 0) -> bytes:
    with _tree.open_tree(model) as tree:
        buffer = memoryview(bytearray(_tree.BUFFER))
        return b"".join(bytes(chunk) for chunk in layer_chunks(tree, image.layers[index].entries, buffer=buffer))


def test_the_digest_of_a_known_model_never_changes(tmp_path: Path) -> None:
    image = read_image(make_model(tmp_path / "model"))
    assert str(image.manifest_digest) == "sha256:ec0ba1f8182934de751c30503ed20c10fff153d7141896849a24262e02b33223"


def test_one_read_gives_the_digest_of_hash_model(tmp_path: Path) -> None:
    model = make_model(tmp_path / "model")
    assert read_image(model).digest == hash_model(model)


def test_times_modes_and_empty_directories_do_not_change_the_image(tmp_path: Path) -> None:
    one, other = make_model(tmp_path / "one"), make_model(tmp_path / "other")
    os.utime(other / "z", (1, 1))
    (other / "z").chmod(0o700)
    (other / "empty").mkdir()
    assert read_image(one).manifest == read_image(other).manifest


def test_a_file_is_the_image_of_a_directory_that_holds_it(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "model.onnx").write_bytes(b"weights")
    assert read_image(tmp_path / "m" / "model.onnx").manifest == read_image(tmp_path / "m").manifest


@pytest.mark.parametrize("change", ["byte", "name"])
def test_another_byte_or_name_is_another_image(tmp_path: Path, change: str) -> None:
    one, other = make_model(tmp_path / "one"), make_model(tmp_path / "other")
    if change == "byte":
        (other / "a/b/c.bin").write_bytes(b"d" + b"c" * 699)
    else:
        (other / "z").rename(other / "y")
    assert read_image(one).manifest_digest != read_image(other).manifest_digest


def test_the_layer_is_what_the_manifest_says_and_tarfile_reads_it(tmp_path: Path) -> None:
    model = make_model(tmp_path / "model")
    image = read_image(model)
    data = layer_bytes(model, image)
    described = json.loads(image.manifest)["layers"][0]
    assert described["digest"] == f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert described["size"] == len(data)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        members = {member.name: member for member in archive}
        assert {name for name, member in members.items() if member.isfile()} == {"a/b/c.bin", "a/ä.txt", "z", LONG}
        assert {name for name, member in members.items() if member.isdir()} == {"a", "a/b", "d" * 60}
        assert {(member.uid, member.gid, member.mtime) for member in members.values()} == {(0, 0, 0)}
        assert {member.mode for member in members.values()} == {0o444, 0o555}
        content = archive.extractfile("a/b/c.bin")
        assert content is not None
        assert content.read() == b"c" * 700


def test_the_config_names_every_layer_and_a_platform(tmp_path: Path) -> None:
    image = read_image(make_model(tmp_path / "model"))
    config, manifest = json.loads(image.config), json.loads(image.manifest)
    assert config["rootfs"]["diff_ids"] == [layer["digest"] for layer in manifest["layers"]]
    assert (config["os"], config["architecture"]) == ("linux", "amd64")
    assert manifest["config"]["digest"] == f"sha256:{hashlib.sha256(image.config).hexdigest()}"


def test_there_are_never_too_many_layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_module, "LAYER_BYTES", 1)
    model = tmp_path / "model"
    model.mkdir()
    for number in range(300):
        (model / f"{number:03}").write_bytes(b"x" * (1 + number % 7 * 100))
    image = read_image(model)
    assert 2 < len(image.layers) <= MAX_LAYERS
    assert [entry.name for layer in image.layers for entry in layer.entries] == sorted(os.listdir(model))
    assert image.digest == hash_model(model)


def test_a_size_that_ustar_cannot_hold_is_written_as_pax() -> None:
    size = 9 * 1024**3
    header = tar.file_header("weights", size)
    with tarfile.open(fileobj=io.BytesIO(header)) as archive:
        member = archive.next()
    assert member is not None
    assert (member.name, member.size) == ("weights", size)


@pytest.mark.parametrize("length", [99, 100, 101, 255])
def test_names_of_every_length_come_back(length: int) -> None:
    name = "n" * length
    with tarfile.open(fileobj=io.BytesIO(tar.file_header(name, 0) + tar.END)) as archive:
        assert archive.getnames() == [name]


@pytest.mark.parametrize("name", [".wh.x", "d/.wh..wh..opq", ".wh.d/x"])
def test_refuses_names_that_remove_files_from_layers(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(ModelError, match=r"begins with \.wh\."):
        read_image(tmp_path)


def test_refuses_links_like_the_digest(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(ModelError, match="symlink"):
        read_image(tmp_path)


def test_refuses_a_model_that_changes_while_it_is_read(tmp_path: Path) -> None:
    model = make_model(tmp_path / "model")

    class Writer:
        def total(self, size: int, /) -> None:
            (model / "added").write_bytes(b"late")

        def advance(self, size: int, /) -> None:
            pass

    with pytest.raises(ModelError, match="changed while it was read"):
        read_image(model, progress=Writer())


@pytest.mark.parametrize("text", ["", "sha256:", "sha256:" + "A" * 64, "sha512:" + "a" * 64, "a" * 64])
def test_refuses_what_is_no_manifest_digest(text: str) -> None:
    with pytest.raises(ParseError):
        ManifestDigest.parse(text)
