"""A mismatch names the files that differ, from evidence that a trusted key signed, and from nothing else."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from tests.builders import MODEL, NOW, Scene, make_keys, make_record, replace_measurement, trust_bytes
from weighbridge.errors import VerificationError
from weighbridge.evidence.measurements import ModelScanMeasurements
from weighbridge.evidence.record import CheckName, ExaminedFile
from weighbridge.evidence.store import StoredFile
from weighbridge.gate.evidence import sort_evidence
from weighbridge.gate.judge import judge
from weighbridge.gate.mismatch import recorded_files
from weighbridge.gate.verdict import write_verdict
from weighbridge.gate.verify import verify
from weighbridge.model.digest import Digest, ModelFiles, hash_files, hash_model

SCAN = CheckName.MODEL_SCAN


def examined(model: Path) -> tuple[ExaminedFile, ...]:
    files = hash_files(model).files
    return tuple(ExaminedFile(path=name, size=(model / name).stat().st_size, sha256=files[name]) for name in files)


def spoil(scene: Scene) -> None:
    (scene.model / "a.bin").write_bytes(b"weightz")
    (scene.model / ".DS_Store").write_bytes(b"\0")


@pytest.fixture
def judged(scene: Scene, tmp_path: Path) -> Scene:
    """A model with evidence, trust and a verdict on disk, beside it."""
    (tmp_path / "evidence").mkdir()
    for file in scene.files():
        (tmp_path / "evidence" / file.name).write_bytes(file.data)
    (tmp_path / "trust.yaml").write_bytes(trust_of(scene))
    decision = judge(scene.digest, policy=scene.policy, trust=scene.trust, files=scene.files(), now=NOW)
    data = write_verdict(decision, name="model", version="0", signer=scene.keys["verifier"])
    (tmp_path / "verdict.json").write_bytes(data)
    return scene


def trust_of(scene: Scene) -> bytes:
    return trust_bytes(scene.keys)


def refusal_of(scene: Scene, *, evidence: Path | None = None) -> VerificationError:
    place = scene.model.parent
    with pytest.raises(VerificationError) as refusal:
        verify(
            scene.model,
            verdict=place / "verdict.json",
            trust=place / "trust.yaml",
            evidence=evidence,
            clock=lambda: NOW,
        )
    return refusal.value


def test_verify_names_the_changed_byte_and_the_added_file(judged: Scene) -> None:
    # sigstore/model-transparency #487.
    spoil(judged)
    error = refusal_of(judged)
    assert error.message.startswith("these are other files: 'a.bin' was changed and '.DS_Store' was added; ")
    assert "delete .DS_Store" in error.remedy


def test_verify_reads_the_files_of_any_record(judged: Scene) -> None:
    record = msgspec.structs.replace(make_record(CheckName.LEAKAGE), files=examined(judged.model))
    place = judged.model.parent / "elsewhere"
    place.mkdir()
    (place / "leakage.sigstore.json").write_bytes(judged.sign(record))
    spoil(judged)
    assert "'a.bin' was changed" in refusal_of(judged, evidence=place).message


@pytest.mark.parametrize("kind", ["none", "missing", "stranger", "wrong role", "other model", "lies", "broken"])
def test_what_nobody_trusted_says_about_files_is_not_repeated(judged: Scene, kind: str) -> None:
    place = judged.model.parent / "elsewhere"
    good = make_record(SCAN)
    lie = msgspec.structs.replace(good, files=(ExaminedFile(path="lie.bin", size=1, sha256="0" * 64),))
    data = {
        "stranger": lambda: Scene(judged.model, keys=make_keys()).sign(good),
        "wrong role": lambda: judged.sign(good, role="tester"),
        "other model": lambda: judged.sign(good, digest=Digest("0" * 64)),
        "lies": lambda: judged.sign(lie),
        "broken": lambda: judged.sign(good)[:-50],
    }
    if kind != "missing":
        place.mkdir()
    if kind in data:
        (place / "scan.sigstore.json").write_bytes(data[kind]())
    spoil(judged)
    error = refusal_of(judged, evidence=place)
    assert "a.bin" not in error.message
    assert "lie.bin" not in error.message
    assert error.message.startswith(f"the verdict is about {hash_of_before()}, not about {hash_model(judged.model)}")
    assert f"would say which files differ; there is none in {place}" in error.message


def hash_of_before() -> Digest:
    return ModelFiles.of({name: hashlib.sha256(content).hexdigest() for name, content in MODEL.items()}).digest


def test_a_refusal_for_another_reason_is_as_it_was(judged: Scene) -> None:
    late = NOW + timedelta(days=60)
    place = judged.model.parent
    with pytest.raises(VerificationError, match="the verdict was valid until") as refusal:
        verify(judged.model, verdict=place / "verdict.json", trust=place / "trust.yaml", clock=lambda: late)
    assert "evidence" not in refusal.value.message
    spoil(judged)
    (place / "trust.yaml").write_bytes(trust_of(Scene(judged.model, keys=make_keys())))
    assert "differ" not in refusal_of(judged).message


def test_the_gate_rejects_evidence_of_another_model_and_names_the_files(scene: Scene) -> None:
    files = scene.files()
    spoil(scene)
    present = hash_files(scene.model)
    found = sort_evidence(files, model=present.digest, trust=scene.trust, now=NOW, present=present)
    accepted, rejected = found.evidence, found.rejected
    assert accepted == []
    (scan,) = [item for item in rejected if item.claims is SCAN]
    assert "these are other files: 'a.bin' was changed and '.DS_Store' was added; " in scan.reason
    assert "delete .DS_Store" in scan.remedy
    assert "evidence cannot be moved" in scan.remedy
    # Every record says which files were examined.
    assert all("other files" in item.reason for item in rejected)


def test_the_gate_repeats_no_names_from_a_key_without_the_role(scene: Scene) -> None:
    file = msgspec.structs.replace(make_record(SCAN), files=examined(scene.model))
    data = scene.sign(file, role="tester")
    spoil(scene)
    present = hash_files(scene.model)
    stored = [StoredFile("x", data)]
    (rejected,) = sort_evidence(stored, model=present.digest, trust=scene.trust, now=NOW, present=present).rejected
    assert "other files" not in rejected.reason


def test_names_from_evidence_are_shown_with_escapes(scene: Scene, tmp_path: Path) -> None:
    names = {"a\u202eb.bin": hashlib.sha256(b"1").hexdigest(), "\x1b[31m": hashlib.sha256(b"2").hexdigest()}
    hostile = ModelFiles.of(names)
    record = msgspec.structs.replace(
        make_record(SCAN), files=tuple(ExaminedFile(path=name, size=1, sha256=names[name]) for name in hostile.files)
    )
    data = scene.sign(record, digest=hostile.digest)
    present = hash_files(scene.model)
    stored = [StoredFile("x", data)]
    (rejected,) = sort_evidence(stored, model=present.digest, trust=scene.trust, now=NOW, present=present).rejected
    assert rejected.reason.isprintable()
    assert r"'a\u202eb.bin' was removed" in rejected.reason


def test_checksums_that_do_not_make_the_digest_are_not_believed(scene: Scene) -> None:
    record = make_record(SCAN)
    assert recorded_files(record, model=scene.digest) == hash_files(scene.model)
    record = msgspec.structs.replace(record, files=())  # as the first release wrote it
    assert recorded_files(record, model=scene.digest) == hash_files(scene.model)
    assert isinstance(record.measurements, ModelScanMeasurements)
    fewer = replace_measurement(record, files=record.measurements.files[:1])
    assert recorded_files(fewer, model=scene.digest) is None
    leakage = msgspec.structs.replace(make_record(CheckName.LEAKAGE), files=())
    assert recorded_files(leakage, model=scene.digest) is None
