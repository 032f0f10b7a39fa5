from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders import make_model
from weighbridge.errors import ModelError, UsageError
from weighbridge.model.digest import hash_model
from weighbridge.pipelines.release import release


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_model(tmp_path / "model")


def test_releases_the_same_bytes(model: Path, tmp_path: Path) -> None:
    (model / "deep" / "er").mkdir(parents=True)
    (model / "deep" / "er" / ".hidden").write_bytes(b"x")
    release(model, tmp_path / "out" / "verified", digest=hash_model(model))
    assert hash_model(tmp_path / "out" / "verified") == hash_model(model)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["verified"]


def test_a_model_that_is_one_file_is_released_in_a_directory(model: Path, tmp_path: Path) -> None:
    release(model / "a.bin", tmp_path / "verified", digest=hash_model(model / "a.bin"))
    assert (tmp_path / "verified" / "a.bin").read_bytes() == (model / "a.bin").read_bytes()
    assert hash_model(tmp_path / "verified") == hash_model(model / "a.bin")


def test_a_snapshot_of_the_hub_is_released_as_files(tmp_path: Path) -> None:
    snapshot = tmp_path / "models--org--name" / "snapshots" / "r1"
    blob = tmp_path / "models--org--name" / "blobs" / ("a" * 64)
    for place in (snapshot / "deep", blob.parent):
        place.mkdir(parents=True)
    blob.write_bytes(b"weights")
    (snapshot / "deep" / "model.bin").symlink_to(f"../../../blobs/{blob.name}")
    release(snapshot, tmp_path / "verified", digest=hash_model(snapshot))
    assert not (tmp_path / "verified" / "deep" / "model.bin").is_symlink()
    assert hash_model(tmp_path / "verified") == hash_model(snapshot)


@pytest.mark.parametrize("what", ["byte", "file", "link"])
def test_leaves_nothing_when_the_source_is_not_what_was_judged(model: Path, tmp_path: Path, what: str) -> None:
    judged = hash_model(model)
    if what == "byte":
        (model / "a.bin").write_bytes(b"weightz")
    elif what == "file":
        (model / "more").write_bytes(b"")
    else:
        (model / "link").symlink_to("/etc/passwd")
    with pytest.raises(ModelError):
        release(model, tmp_path / "out" / "verified", digest=judged)
    assert list((tmp_path / "out").iterdir()) == []


def test_refuses_to_mix_with_what_is_there(model: Path, tmp_path: Path) -> None:
    (tmp_path / "verified").mkdir()
    release(model, tmp_path / "verified", digest=hash_model(model))  # an empty directory, as an engine may make
    with pytest.raises(UsageError, match="exists"):
        release(model, tmp_path / "verified", digest=hash_model(model))


def test_refuses_an_output_inside_the_model(model: Path) -> None:
    with pytest.raises(UsageError, match="inside the model"):
        release(model, model / "verified", digest=hash_model(model))
