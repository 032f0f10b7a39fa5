from __future__ import annotations

import os
from pathlib import Path

import pytest

from weighbridge.errors import InputError, OutputError, UsageError
from weighbridge.evidence import store as module
from weighbridge.evidence.bundle import MAX_BUNDLE_BYTES
from weighbridge.evidence.store import DirectoryStore, beside, require_outside, results_of
from weighbridge.model.digest import Digest

MODEL = Digest("a" * 64)


def test_reads_bundles_and_envelopes_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b.sigstore.json", "a.intoto.jsonl", "notes.txt", "c.json"):
        (tmp_path / name).write_text(name)
    found = list(DirectoryStore(tmp_path).read())
    assert [(item.name, item.data) for item in found] == [
        ("a.intoto.jsonl", b"a.intoto.jsonl"),
        ("b.sigstore.json", b"b.sigstore.json"),
    ]


def test_says_which_file_cannot_be_read_and_reads_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.sigstore.json").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "b.sigstore.json")
    (tmp_path / "c.sigstore.json").mkdir()
    with (tmp_path / "d.sigstore.json").open("wb") as sparse:
        sparse.truncate(MAX_BUNDLE_BYTES + 1)
    (tmp_path / "e.sigstore.json").write_text("{}")
    found = list(DirectoryStore(tmp_path).read())
    assert [bool(item.problem) for item in found] == [True, True, True, True, False]
    assert [item.data for item in found] == [b"", b"", b"", b"", b"{}"]


def test_refuses_more_than_memory_should_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        (tmp_path / f"{number}.sigstore.json").write_bytes(b"0" * 100)
    monkeypatch.setattr(module, "MAX_EVIDENCE_BYTES", 399)
    with pytest.raises(InputError, match="more than 399 bytes"):
        list(DirectoryStore(tmp_path).read())
    monkeypatch.setattr(module, "MAX_EVIDENCE_FILES", 3)
    with pytest.raises(InputError, match="holds 4 files"):
        list(DirectoryStore(tmp_path).read())


def test_never_replaces_evidence(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "evidence")
    path = store.write(b"1", kind="model-scan", model=MODEL, nonce="0" * 32)
    with pytest.raises(OutputError):
        store.write(b"2", kind="model-scan", model=MODEL, nonce="0" * 32)
    assert path.read_bytes() == b"1"
    assert [item.name for item in store.path.iterdir()] == [path.name]


@pytest.mark.parametrize("place", ["model", "model/evidence", "model/../model/a/b", "link/evidence"])
def test_refuses_to_lie_inside_the_model(tmp_path: Path, place: str) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (tmp_path / "link").symlink_to("model")
    with pytest.raises(UsageError, match="inside the model"):
        DirectoryStore(tmp_path / place).require_outside(model)
    DirectoryStore(tmp_path / "model-evidence").require_outside(model)


REVISION = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """A snapshot in the Hub's cache with one file, and a link to the cache."""
    repository = tmp_path / "models--org--name"
    (repository / "blobs").mkdir(parents=True)
    (repository / "snapshots" / REVISION).mkdir(parents=True)
    (repository / "blobs" / ("4" * 64)).write_bytes(b"weights")
    (repository / "snapshots" / REVISION / "model.bin").symlink_to(f"../../blobs/{'4' * 64}")
    (tmp_path / "linked").symlink_to(repository)
    return repository / "snapshots" / REVISION


@pytest.mark.parametrize(
    "place", ["blobs/" + "4" * 64, "blobs/new", f"snapshots/{REVISION}/x", "snapshots/new", "refs/main", "."]
)
def test_nothing_is_written_over_the_cache_of_the_snapshot_that_is_judged(hub: Path, place: str) -> None:
    for repository in (hub.parents[1], hub.parents[2] / "linked"):
        for model in (hub, repository / "snapshots" / REVISION, hub.parents[1] / "blobs" / ("4" * 64)):
            with pytest.raises(UsageError, match="lies in") as refusal:
                require_outside(repository / place, model=model, what="the verdict")
            assert "choose a place" in refusal.value.remedy


def test_beside_the_cache_there_is_room(hub: Path, tmp_path: Path) -> None:
    require_outside(tmp_path / "verdict.json", model=hub, what="the verdict")
    require_outside(tmp_path / "models--org--other" / "x", model=hub, what="the verdict")


def test_evidence_about_a_snapshot_does_not_lie_among_the_snapshots(
    hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Hub's client takes a directory there for a revision, and a file for a corrupted cache."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    for model in (hub, tmp_path / "linked" / "snapshots" / REVISION):
        assert results_of(model) == tmp_path / "work" / f"org--name-{REVISION}"
        assert beside(model) == tmp_path / "work" / "evidence"


@pytest.mark.parametrize("name", ["m", "snapshots/m", "blobs/m", "models--org--name/m", "models--o--n/refs/m"])
def test_evidence_about_any_other_model_lies_beside_it(tmp_path: Path, name: str) -> None:
    assert results_of(tmp_path / name) == tmp_path / name
    assert beside(tmp_path / name) == (tmp_path / name).parent / "evidence"
