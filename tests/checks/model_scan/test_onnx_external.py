"""External data of ONNX models: keys that mean nothing, links that lead outside, and names that decide nothing."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from tests.attacks.model_files import external, field, onnx
from tests.builders import request_for
from weighbridge.checks.interface import CheckRequest, ModelScanOptions
from weighbridge.checks.model_scan.check import run
from weighbridge.checks.run import given_view
from weighbridge.evidence.measurements import ModelScanMeasurements
from weighbridge.model.view import private_view

RAW = bytes(range(1, 9))


def states(model: Path) -> dict[str, str]:
    with (
        private_view(model) as view,
        given_view(CheckRequest(model=str(model), options=ModelScanOptions()), view) as it,
    ):
        output = run(it)
    assert isinstance(output.measurements, ModelScanMeasurements)
    return {entry.path: entry.state for entry in output.measurements.files}


def rules(model: Path) -> list[str]:
    with (
        private_view(model) as view,
        given_view(CheckRequest(model=str(model), options=ModelScanOptions()), view) as it,
    ):
        return [finding.rule for finding in run(it).findings]


def entry(key: str, value: str) -> bytes:
    return field(13, field(1, key) + field(2, value))


@pytest.mark.parametrize("key", ["__class__", "basepath", "info", "Location", "location ", "", "prepacked_0"])
def test_a_key_that_has_no_meaning_is_refused(tmp_path: Path, key: str) -> None:
    """CVE-2026-34445: onnx set whatever attribute was named."""
    (tmp_path / "m.onnx").write_bytes(onnx(tensors=(external("w") + entry(key, "x"),)))
    (tmp_path / "w").write_bytes(RAW)
    assert rules(tmp_path) == ["external-data-key"]


@pytest.mark.parametrize(("checksum", "state"), [("a" * 40, "clean"), ("a" * 39, "refused"), ("", "refused")])
def test_a_checksum_is_one(tmp_path: Path, checksum: str, state: str) -> None:
    (tmp_path / "m.onnx").write_bytes(onnx(tensors=(external("w") + entry("checksum", checksum),)))
    (tmp_path / "w").write_bytes(RAW)
    assert states(tmp_path)["m.onnx"] == state


def test_a_hard_link_to_a_file_outside_is_refused_through_the_private_view_too(tmp_path: Path) -> None:
    model = tmp_path / "m"
    model.mkdir()
    (model / "m.onnx").write_bytes(onnx(tensors=(external("w"),)))
    (tmp_path / "secret").write_bytes(RAW)
    os.link(tmp_path / "secret", model / "w")
    assert rules(model) == ["hard-link"]
    assert states(model) == {"m.onnx": "clean", "w": "refused"}
    in_place = run(request_for(model, ModelScanOptions()))
    assert [finding.rule for finding in in_place.findings] == ["hard-link"]


def test_links_between_files_of_the_model_are_its_own(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(onnx(tensors=(external("w"), external("v"))))
    (tmp_path / "w").write_bytes(RAW)
    os.link(tmp_path / "w", tmp_path / "v")
    assert set(states(tmp_path).values()) == {"clean"}


def test_other_files_may_be_hard_links(tmp_path: Path) -> None:
    """A package manager's cache and a container's layers are full of them, and their bytes are in the digest."""
    model = tmp_path / "m"
    model.mkdir()
    (tmp_path / "cached").write_bytes(pickle.dumps([1]))
    os.link(tmp_path / "cached", model / "a.pkl")
    assert states(model) == {"a.pkl": "clean"}


@pytest.mark.parametrize("name", ["model.bin", "w", "m.onnx_data", "weights.pb", "w.pkl"])
def test_numbers_that_a_model_refers_to_are_numbers_under_any_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "m.onnx").write_bytes(onnx(tensors=(external(name),)))
    (tmp_path / name).write_bytes(RAW)
    assert set(states(tmp_path).values()) == {"clean"}


def test_numbers_that_are_also_an_archive_stay_refused(tmp_path: Path) -> None:
    from tests.attacks.model_containers import archive

    (tmp_path / "m.onnx").write_bytes(onnx(tensors=(external("w"),)))
    (tmp_path / "w").write_bytes(bytes(range(1, 9)) + archive({"a": b"x"}))
    assert states(tmp_path)["w"] == "refused"
    assert run(request_for(tmp_path, ModelScanOptions())).findings


def test_numbers_are_excused_for_being_unknown_and_for_nothing_else(tmp_path: Path) -> None:
    """Bytes that could be a pickle for longer than they are followed stay undecided."""
    (tmp_path / "m.onnx").write_bytes(onnx(tensors=(external("w"),)))
    (tmp_path / "w").write_bytes(b"N0" * 1_600_000 + b"\xff")
    assert states(tmp_path)["w"] == "undecided"


@pytest.mark.parametrize("start", [b"\x89PNG\r\n\x1a\n", b"%PDF-1.7", b"\x08\x01\x12\x06\x0a\x00\x00\x00"])
def test_numbers_that_look_like_something_else_are_numbers(tmp_path: Path, start: bytes) -> None:
    (tmp_path / "m.onnx").write_bytes(onnx(tensors=(external("w"),)))
    (tmp_path / "w").write_bytes(start[:8] + RAW)
    assert set(states(tmp_path).values()) == {"clean"}


@pytest.mark.parametrize("start", [b"\x89HDF\r\n\x1a\n", b"GGUF\x03\x00\x00\x00", b"\x04\x22\x4d\x18\x00\x00\x00\x00"])
def test_what_another_reader_would_open_is_no_numbers(tmp_path: Path, start: bytes) -> None:
    (tmp_path / "m.onnx").write_bytes(onnx(tensors=(external("w"),)))
    (tmp_path / "w").write_bytes(start + RAW)
    assert states(tmp_path)["w"] == "undecided"
