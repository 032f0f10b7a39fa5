"""Every hostile file is refused or undecided, never clean; a clean report about one of them is a hole."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks.model_files import external, onnx, safetensors, tensor
from tests.attacks.models import Case, all_cases
from tests.builders import request_for
from weighbridge.checks.interface import ModelScanOptions
from weighbridge.checks.model_scan.check import run, scan_file
from weighbridge.evidence.measurements import ModelScanMeasurements

CASES = all_cases()
# What the scan has no parser for is named as undecided; a rule must refuse everything else.
UNDECIDED_IS_ENOUGH = {"dos", "onnx", "files"}


def test_corpus_is_as_large_as_promised() -> None:
    assert len(CASES) >= 500
    assert len({str(case) for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_refuses_hostile_file(case: Case, tmp_path: Path) -> None:
    path = tmp_path / case.filename
    path.write_bytes(case.content)
    report = scan_file(path, name=case.filename)
    assert report.coverage.state != "clean"
    if case.category not in UNDECIDED_IS_ENOUGH:
        assert report.findings or "method" in case.name, report.undecided
    for finding in report.findings:
        assert finding.location.startswith(case.filename)
        assert finding.remedy


@pytest.mark.parametrize("case", [case for case in CASES if case.category == "gadgets"], ids=str)
def test_names_the_gadget(case: Case, tmp_path: Path) -> None:
    path = tmp_path / case.filename
    path.write_bytes(case.content)
    module_and_name = case.name.rpartition("-")[0]
    report = scan_file(path, name=case.filename)
    assert [finding.rule for finding in report.findings] == ["forbidden-global"]
    assert module_and_name in report.findings[0].message


def _states(model: Path) -> dict[str, str]:
    output = run(request_for(model, ModelScanOptions()))
    assert isinstance(output.measurements, ModelScanMeasurements)
    return {entry.path: entry.state for entry in output.measurements.files}


def test_refuses_symbolic_links_and_special_files(tmp_path: Path) -> None:
    import os

    (tmp_path / "a.txt").write_text("plain\n")
    (tmp_path / "link.txt").symlink_to("a.txt")
    (tmp_path / "folder-link").symlink_to("/etc")
    (tmp_path / "broken").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    states = _states(tmp_path)
    assert states == {
        "a.txt": "clean",
        "link.txt": "refused",
        "folder-link": "refused",
        "broken": "refused",
        "pipe": "refused",
    }


def test_model_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model").symlink_to("/etc")
    assert _states(tmp_path / "model") == {"model": "refused"}


def test_model_without_files_is_undecided(tmp_path: Path) -> None:
    assert run(request_for(tmp_path, ModelScanOptions())).undecided


def test_missing_model_is_undecided(tmp_path: Path) -> None:
    assert _states(tmp_path / "nothing") == {"nothing": "undecided"}


def test_name_that_is_not_utf8_is_reported(tmp_path: Path) -> None:
    import os

    with open(os.fsencode(tmp_path) + b"/\xff.pkl", "wb") as file:
        file.write(b"cos\nsystem\n.")
    assert _states(tmp_path) == {"\\xff.pkl": "refused"}


@pytest.mark.parametrize("size", [None, 3], ids=["missing", "short"])
def test_refuses_missing_or_short_external_data(tmp_path: Path, size: int | None) -> None:
    (tmp_path / "m.onnx").write_bytes(onnx(tensors=(external("w.data"),)))
    if size is not None:
        (tmp_path / "w.data").write_bytes(bytes(size))
    assert _states(tmp_path)["m.onnx"] == "refused"


@pytest.mark.parametrize("name", ["w.pkl", "w.py", "w.txt"])
def test_external_data_excuses_no_other_format(tmp_path: Path, name: str) -> None:
    (tmp_path / "m.onnx").write_bytes(onnx(tensors=(external(name),)))
    (tmp_path / name).write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    assert _states(tmp_path)[name] == "refused"


@pytest.mark.parametrize(
    ("length", "state"), [(1 << 20, "clean"), ((1 << 20) - 1, "refused"), ((1 << 20) + 1, "refused")]
)
def test_large_tensors_are_passed_over_by_exact_length(tmp_path: Path, length: int, state: str) -> None:
    (tmp_path / "m.safetensors").write_bytes(safetensors({"a": tensor(0, 1 << 20)}, bytes(length)))
    assert _states(tmp_path) == {"m.safetensors": state}


POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'4' * 64}\nsize 12345\n".encode()


@pytest.mark.parametrize("name", ["model.safetensors", "model.bin", "m.pkl", "m.onnx", "tokenizer.json", "m.gguf", "m"])
def test_a_checkout_without_its_large_files_is_told_what_to_do(tmp_path: Path, name: str) -> None:
    """A pointer of Git LFS stands where the weights should be; nobody has to train the model again."""
    (tmp_path / name).write_bytes(POINTER)
    report = scan_file(tmp_path / name, name=name)
    assert [(one.rule, "git lfs pull" in one.remedy) for one in report.findings] == [("missing-large-file", True)]
    assert report.coverage.state == "refused"
    assert not report.undecided


@pytest.mark.parametrize(
    "content",
    [POINTER + b"cos\nsystem\n.", POINTER[:-1], POINTER + b"x" * 1000, POINTER.replace(b"4" * 64, b"4" * 63)],
    ids=["more", "less", "long", "other"],
)
def test_what_only_begins_like_a_pointer_is_judged_as_what_it_is(tmp_path: Path, content: bytes) -> None:
    """It is text then, and no reader of weights gets past its first byte."""
    (tmp_path / "model.safetensors").write_bytes(content)
    report = scan_file(tmp_path / "model.safetensors", name="model.safetensors")
    assert (report.coverage.format, report.coverage.state) == ("text", "clean")


def test_a_pointer_is_one_under_any_name_but_a_program_is_a_program(tmp_path: Path) -> None:
    for name, rule in (("m.py", "code-in-model"), ("vocab.txt", "missing-large-file"), ("m", "missing-large-file")):
        (tmp_path / name).write_bytes(POINTER)
        assert [one.rule for one in scan_file(tmp_path / name, name=name).findings] == [rule]
