"""Every reason why something is undecided: a small file that has it, what is said of it, and that its remedy works."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import onnx
import pytest
import yaml

from tests.attacks.model_containers import archive
from tests.attacks.model_files import node
from tests.attacks.model_files import onnx as onnx_bytes
from tests.attacks.model_pickles import name4
from tests.attacks.model_readings import members, sized_deep
from tests.builders import request_for
from weighbridge.checks.interface import ModelFile, ModelScanOptions
from weighbridge.checks.model_scan import check, zip_reader
from weighbridge.checks.model_scan.budget import Budget
from weighbridge.checks.model_scan.check import run, scan_file
from weighbridge.checks.model_scan.reasons import REASONS, step_of
from weighbridge.checks.model_scan.report import FileReport

RAW = np.random.default_rng(3).normal(size=200).astype("<f4").tobytes()


@dataclass(frozen=True)
class Open:
    """A file that is undecided: its bytes, the words of what it was recognised as, and its remedy if it can be run."""

    content: bytes
    recognised: str
    name: str = "m"
    mended: Callable[[Path], bytes] | None = None


def tarred(name: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as made:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        made.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def from_tar(path: Path) -> bytes:
    with tarfile.open(path) as opened:
        member = opened.extractfile("m.pkl")
        assert member is not None
        return member.read()


def compressed_member(path: Path) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(path) as opened, zipfile.ZipFile(stream, "w") as made:
        for name in opened.namelist():
            made.writestr(name, opened.read(name))
    return stream.getvalue()


def as_numpy(path: Path) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.fromfile(path, dtype="<f4"))
    return stream.getvalue()


def npy(count: int) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.random.default_rng(1).normal(size=count))
    return stream.getvalue()


def as_json(path: Path) -> bytes:
    return json.dumps(yaml.safe_load(path.read_text())).encode()


def as_arrays(path: Path) -> bytes:
    stream = io.BytesIO()
    joblib.dump(np.asarray(pickle.loads(path.read_bytes())), stream)
    return stream.getvalue()


def without_field(path: Path) -> bytes:
    made = onnx.load(path)
    made.DiscardUnknownFields()
    return bytes(made.SerializeToString())


def without_metadata(path: Path) -> bytes:
    made = onnx.load(path)
    del made.metadata_props[:]
    return bytes(made.SerializeToString())


def raw_data(path: Path) -> bytes:
    made = onnx.load(path)
    for place, one in enumerate(made.graph.initializer):
        made.graph.initializer[place].CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(one), one.name))
    return bytes(made.SerializeToString())


def initializer(count: int = 3) -> bytes:
    rows = onnx.helper.make_tensor("w", onnx.TensorProto.FLOAT, [count], [0.5] * count)
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    relu = onnx.helper.make_node("Relu", ["x"], ["y"])
    graph = onnx.helper.make_graph([relu], "g", [value], [value], [rows])
    return bytes(onnx.helper.make_model(graph).SerializeToString())


def unpacked_floats(count: int) -> bytes:
    """Write a tensor as old protobuf does: one field a number."""
    made = onnx.load_from_string(initializer())
    tensor = b"\x08" + bytes([count]) + b"\x10\x01" + b"\x25\x00\x00\x00\x3f" * count + b"\x42\x01v"
    graph = bytes(made.graph.SerializeToString()) + b"\x2a" + length_of(tensor) + tensor
    made.ClearField("graph")
    return bytes(made.SerializeToString()) + b"\x3a" + length_of(graph) + graph


def length_of(content: bytes) -> bytes:
    return bytes([len(content) & 127 | 128, len(content) >> 7])


def foreign_field() -> bytes:
    made = onnx.load_from_string(initializer())
    made.graph.MergeFromString(b"\xf2\x06\x01a")
    return bytes(made.SerializeToString())


def metadata(length: int) -> bytes:
    made = onnx.load_from_string(initializer())
    made.metadata_props.add(key="notes", value="x" * length)
    return bytes(made.SerializeToString())


NUMPY_FILE = npy(100_000)
HONEST = pickle.dumps({"w": 1})
OPEN: dict[str, list[Open]] = {
    "unknown-bytes": [Open(RAW, "nothing in its bytes says what it is", mended=as_numpy)],
    "no-parser-hdf5": [Open(b"\x89HDF\r\n\x1a\n" + bytes(600), "HDF5 file, as Keras writes", name="m.keras")],
    "no-parser-gguf": [Open(b"GGUF\x03\x00\x00\x00" + bytes(16), "a GGUF file")],
    "no-parser-tensorflow": [
        Open(b"\x08\x01\x12\x06\x0a\x04\x12\x02ab", "a SavedModel of TensorFlow", name="saved_model.pb"),
        Open(b"\x0a\x0c\x0a\x01x\x12\x07PyFuncA" + b"\x12\x00", "a graph of TensorFlow", name="graph.pb"),
    ],
    "no-parser-tflite": [Open(b"\x1c\x00\x00\x00TFL3" + bytes(24), "a TFLite model")],
    "no-parser-tar": [Open(tarred("m.pkl", HONEST), "a tar archive", mended=from_tar)],
    "no-parser-archive": [
        Open(b"7z\xbc\xaf\x27\x1c" + bytes(26), "a 7z archive"),
        Open(b"Rar!\x1a\x07\x01\x00" + bytes(26), "a rar archive"),
    ],
    "no-parser-lz4": [Open(b"\x04\x22\x4d\x18" + bytes(20), "an lz4 stream")],
    "no-parser-zstd": [Open(b"\x28\xb5\x2f\xfd" + bytes(20), "a Zstandard stream")],
    "no-parser-sentencepiece": [
        Open(b"\x0a\x0e\x0a\x05<unk>\x15\x00\x00\x00\x00\x18\x02" * 3, "a SentencePiece model", name="tokenizer.model")
    ],
    "no-parser-media": [
        Open(b"\x89PNG\r\n\x1a\n" + bytes(20), "a PNG picture"),
        Open(b"%PDF-1.7\n\xff\x00", "a PDF document"),
        Open(b"SQLite format 3\x00" + bytes(80), "an SQLite database"),
    ],
    "no-parser-settings": [
        Open(b"[tool]\nname = 'x'\n", "TOML by its name", name="pyproject.toml"),
        Open(b"<?xml version='1.0'?><PMML/>\n", "XML", name="m.pmml"),
        Open(b"layer { name: 'a' }\n", "protobuf text", name="net.prototxt"),
        Open(b"node { name: 'a' op: 'PyFunc' }\n", "protobuf text", name="graph.pbtxt"),
    ],
    "unknown-compression": [
        Open(archive({"a.pkl": HONEST}, method=zipfile.ZIP_BZIP2), "compressed by method 12", mended=compressed_member)
    ],
    "unknown-operator": [
        Open(onnx_bytes(node("Evil", domain="com.microsoft")), "of the domain 'com.microsoft'"),
        Open(onnx_bytes(node("Evil")), "ONNX has no operator 'Evil'"),
    ],
    "unknown-onnx-field": [Open(foreign_field(), "has the field 110", mended=without_field)],
    "metadata-too-long": [Open(metadata(2 << 20), "metadata of", mended=without_metadata)],
    "not-yaml": [Open(b"a: [1\n", "not YAML that is read", name="a.yaml")],
    "unknown-role": [Open(b'{"runner": {"callback": "my.Thing"}}', "the role of this file is not known")],
    "loose-object": [Open(b"{a: 1, // no\n 'b': 2}\n", "a looser form than JSON", name="a.json5")],
    "template-not-followed": [Open(b"{% if %}", "not in Jinja's syntax", name="a.jinja")],
    "template-too-long": [Open(b"{# " + b"x" * (65 << 10) + b" #}", "more than 65536 bytes", name="a.jinja")],
    "unknown-backend": [Open(b'backend: "vllm"\n', "the backend 'vllm'", name="config.pbtxt")],
    "nests-too-deep": [
        Open(b"[" * 300 + b"]" * 300, "nests deeper than 200"),
        Open(b"a: " + b"[" * 300 + b"]" * 300, "nests deeper than 200", name="a.yaml"),
    ],
    "document-too-large": [Open(b"a: 1\n" + b"# x\n" * (300 << 10), "more than", name="a.yaml", mended=as_json)],
}
"""A file for each reason that a file of a few bytes can have."""

ELSEWHERE = {
    "pickle-too-large": "test_a_list_of_numbers_that_is_too_long_can_be_an_array",
    "too-many-members": "test_an_archive_of_many_members_can_be_unpacked",
    "second-reading-too-long": "test_pickle_walk.py",
    "file-changed": "test_held.py",
    "nested-pickle": "calls.py: only where no scan of a nested pickle is given",
    "onnx-too-large": "test_raw_data_makes_fields_few",
    "inner-archive-too-large": "test_a_packed_archive_that_is_too_large_can_be_unpacked",
    "unpacks-too-large": "test_a_stream_that_is_too_large_can_be_unpacked",
    "too-many-findings": "test_what_is_said_of_a_model",
    "no-file": "test_what_is_said_of_a_model",
    "unreadable": "test_what_is_said_of_a_model",
    "unread-bytes": "test_coverage.py",
}


def scanned(tmp_path: Path, content: bytes, name: str = "m") -> FileReport:
    path = tmp_path / "file"
    path.write_bytes(content)
    return scan_file(path, name=name)


def test_every_reason_has_a_file_here() -> None:
    known = {reason.id for reason in REASONS}
    assert known == OPEN.keys() | ELSEWHERE.keys()


@pytest.mark.parametrize(("code", "case"), [(code, case) for code, cases in OPEN.items() for case in cases])
def test_says_what_was_recognised_and_a_step_that_works(code: str, case: Open, tmp_path: Path) -> None:
    report = scanned(tmp_path, case.content, case.name)
    assert report.findings == ()
    assert code in {place.code for place in report.undecided}
    place = next(place for place in report.undecided if place.code == code)
    assert case.recognised in place.reason
    assert place.remedy
    assert "convert the model to safetensors or ONNX" not in place.reason + place.remedy
    if code.startswith("no-parser"):
        assert "expected" in place.reason or "configuration of Triton" in place.reason
    if case.mended is not None:
        mended = scanned(tmp_path, case.mended(tmp_path / "file"))
        assert mended.coverage.state == "clean", mended.undecided


def test_a_list_of_numbers_that_is_too_long_can_be_an_array(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weighbridge.checks.model_scan.scan.Budget", partial(Budget, opcodes=200))
    report = scanned(tmp_path, pickle.dumps(list(range(300))))
    assert [place.code for place in report.undecided] == ["pickle-too-large"]
    assert scanned(tmp_path, as_arrays(tmp_path / "file")).coverage.state == "clean"


def test_an_archive_of_many_members_can_be_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_reader, "MAX_MEMBERS", 1)
    report = scanned(tmp_path, archive({"a.txt": b"a\n", "b.txt": b"b\n"}))
    assert [place.code for place in report.undecided] == ["too-many-members"]
    with zipfile.ZipFile(tmp_path / "file") as opened:
        assert all(scanned(tmp_path, opened.read(name)).coverage.state == "clean" for name in opened.namelist())


def test_raw_data_makes_fields_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weighbridge.checks.model_scan.onnx.MAX_FIELDS", 60)
    report = scanned(tmp_path, unpacked_floats(70))
    assert [place.code for place in report.undecided] == ["onnx-too-large"]
    assert scanned(tmp_path, raw_data(tmp_path / "file")).coverage.state == "clean"


def test_a_stream_that_is_too_large_can_be_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weighbridge.checks.model_scan.scan.Budget", partial(Budget, unpacked=2000))
    content = pickle.dumps(list(range(3000)))
    report = scanned(tmp_path, gzip.compress(content))
    assert {place.code for place in report.undecided} == {"unpacks-too-large"}
    assert scanned(tmp_path, gzip.decompress((tmp_path / "file").read_bytes())).coverage.state == "clean"


def test_a_packed_archive_that_is_too_large_can_be_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weighbridge.checks.model_scan.archive.MAX_INNER_ARCHIVE", 20)
    report = scanned(tmp_path, bz2.compress(archive({"a.npy": NUMPY_FILE})))
    assert {place.code for place in report.undecided} == {"inner-archive-too-large"}
    assert scanned(tmp_path, bz2.decompress((tmp_path / "file").read_bytes())).coverage.state == "clean"


def test_what_is_said_of_a_model(tmp_path: Path) -> None:
    empty = check.run(request_for(tmp_path, ModelScanOptions()))
    assert [place.code for place in empty.undecided] == ["no-file"]
    (tmp_path / "many").write_bytes(b"\x80\x04(" + name4("os", "system") * 200 + b"t.")
    found = run(request_for(tmp_path, ModelScanOptions()))
    assert [place.code for place in found.undecided] == ["too-many-findings"]
    gone = check._scan(ModelFile(name="gone", size=3, path=str(tmp_path / "gone")))[0]
    assert [place.code for place in gone.undecided] == ["unreadable"]
    assert all(place.remedy == step_of(place.code) for place in (*empty.undecided, *found.undecided, *gone.undecided))


def test_a_name_that_helps_is_named_with_its_family(tmp_path: Path) -> None:
    for module, name, words in (
        ("cloudpickle.cloudpickle", "_make_function", "Python code by value"),
        ("dill._dill", "_create_function", "Python code by value"),
        ("mlflow.pyfunc.model", "PythonModel", "mlflow.sklearn"),
        ("trl.trainer.sft_config", "SFTConfig", "delete the file"),
        ("transformers.trainer", "OtherArguments", "delete the file"),
        ("torch.nn.modules.transformer", "Odd", "state_dict"),
        ("somebody.package", "Thing", ""),
    ):
        report = scanned(tmp_path, b"\x80\x04" + name4(module, name) + b".")
        (finding,) = report.findings
        assert finding.rule == "forbidden-global"
        assert words in finding.remedy


def test_a_model_from_code_is_not_to_be_removed(tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text("print('a')\n")
    (tmp_path / "MLmodel").write_text(
        "flavors:\n  python_function:\n    loader_module: mlflow.pyfunc.loaders.code_model\n"
        "    model_code_path: /code/agent.py\nmlflow_version: 3.17.2\n"
    )
    output = run(request_for(tmp_path, ModelScanOptions()))
    assert {(finding.rule, finding.location.partition(":")[0]) for finding in output.findings} == {
        ("remote-code", "MLmodel"),
        ("code-in-model", "agent.py"),
    }
    assert all(finding.remedy.startswith("do not remove it") for finding in output.findings)


def test_ubjson_of_another_program_says_so(tmp_path: Path) -> None:
    (finding,) = scanned(tmp_path, members(a=b"X")).findings
    assert finding.rule == "malformed-ubjson"
    assert "save_model('m.json')" in finding.remedy


def test_ubjson_that_nests_as_no_model_does_is_a_finding(tmp_path: Path) -> None:
    (finding,) = scanned(tmp_path, sized_deep(300)).findings
    assert (finding.rule, "nests deeper than 200" in finding.message) == ("malformed-ubjson", True)
