"""Bytes are judged for what they are, under any name, and for everything else that a reader could take them for."""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest

from tests.attacks.model_containers import archive, npy, state_dict, torch_archive
from tests.attacks.model_files import ELF, field, node, onnx, safetensors, tensor
from tests.attacks.model_pickles import SYSTEM
from tests.builders import request_for
from weighbridge.checks.interface import ModelScanOptions
from weighbridge.checks.model_scan.check import run, scan_file
from weighbridge.checks.model_scan.report import FileReport
from weighbridge.evidence.measurements import ModelScanMeasurements

NAMES = (
    "model",
    "model.pkl",
    "model.txt",
    "x.bin",
    "m.pt",
    "m.npz",
    "m.onnx",
    "m.safetensors",
    "m.h5",
    "m.json",
    "m.gz",
)
CALL = b"cos\ngetcwd\n(tR."
LONG = b"V" + b"a" * 300_000 + b"\n0" + CALL


HIDDEN = archive({"a": SYSTEM})


def scanned(tmp_path: Path, content: bytes, name: str = "model") -> FileReport:
    path = tmp_path / "file"
    path.write_bytes(content)
    return scan_file(path, name=name)


def rules(report: FileReport) -> list[str]:
    return [finding.rule for finding in report.findings]


def _arrays() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, a=np.ones(3))
    return stream.getvalue()


HEADER = b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'

CLEAN: dict[str, tuple[str, bytes]] = {
    "pickle": ("pickle", pickle.dumps([1, 2])),
    "pickle-0": ("pickle", pickle.dumps({"a": [1.5, "ä"]}, protocol=0)),
    "pickle-1": ("pickle", pickle.dumps({"a": [1.5, "ä"]}, protocol=1)),
    "torch": ("zip", torch_archive(state_dict(), storages={"0": bytes(16)})),
    "npz": ("zip", _arrays()),
    "zip": ("zip", archive({"config.json": b"{}", "weights": bytes(0), "a.npy": npy(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", bytes(8))})),
    "npy": ("npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", bytes(8))),
    "safetensors": ("safetensors", safetensors({"a": tensor(0, 4)}, bytes(4))),
    # A header of 640 bytes begins as a pickle of protocol 2.
    "safetensors-640": ("safetensors", safetensors(HEADER.ljust(640), b"x")),
    "onnx": ("onnx", onnx(node("Relu"))),
    "json": ("json", b' {"hidden_size": 8}\n'),
    "json-list": ("json", b"[1, 2]"),
    "text": ("text", b"hello\n"),
    "lines": ("text", b'{"text": "a"}\n{"text": "b"}\n'),
    "gzip": ("gzip", gzip.compress(pickle.dumps([1]))),
    "empty": ("empty", b""),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", CLEAN)
def test_the_same_bytes_are_clean_under_any_name(tmp_path: Path, case: str, name: str) -> None:
    kind, content = CLEAN[case]
    report = scanned(tmp_path, content, name)
    assert (report.findings, report.undecided) == ((), ())
    assert (report.coverage.format, report.coverage.state) == (kind, "clean")


def _tar() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as target:
        target.addfile(tarfile.TarInfo("N.aa"), io.BytesIO(b""))
    return stream.getvalue()


HOSTILE = {
    "packed twice": gzip.compress(gzip.compress(SYSTEM)),
    "pickle-0": SYSTEM,
    "long-line": LONG,
    "torch": torch_archive(SYSTEM),
    "array-of-objects": npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", SYSTEM),
    "onnx": onnx(node("Relu"), extra=field(99, "x")),
    "json": b'{"auto_map": {"AutoModel": "a.B"}}',
    "program": ELF,
    "script": b"#!/bin/sh\ntrue\n",
    "raw": bytes(range(7, 40)) * 9,
    "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(40),
    "gguf": b"GGUF\x03\x00\x00\x00" + bytes(40),
    "tar": _tar(),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_the_same_bytes_break_the_same_rules_under_any_name(tmp_path: Path, case: str) -> None:
    reports = [scanned(tmp_path, HOSTILE[case], name) for name in NAMES]
    assert {report.coverage.state for report in reports} != {"clean"}
    found = {(r.coverage.state, r.coverage.format, *rules(r), *(u.reason for u in r.undecided)) for r in reports}
    assert len(found) == 1


@pytest.mark.parametrize("name", ["weight.bin", "group1-shard1of1.bin", "lookups.bin", "model", "weights.dat"])
def test_raw_numbers_are_undecided_with_a_next_step_and_no_finding(tmp_path: Path, name: str) -> None:
    content = np.random.default_rng(1).normal(size=1000).astype("<f4").tobytes()
    report = scanned(tmp_path, content, name)
    assert report.findings == ()
    (place,) = report.undecided
    assert place.code == "unknown-bytes"
    assert "safetensors" in place.remedy
    assert report.coverage.state == "undecided"


@pytest.mark.parametrize("name", ["x.lock", ".gitkeep", "__init__.py", "model.safetensors", "m.pkl", "py.typed"])
def test_what_is_empty_is_nothing(tmp_path: Path, name: str) -> None:
    report = scanned(tmp_path, b"", name)
    assert (report.coverage.format, report.coverage.state) == ("empty", "clean")


def test_a_folder_as_the_hub_client_leaves_it_has_nothing_that_its_names_make_wrong(tmp_path: Path) -> None:
    cache = tmp_path / ".cache" / "huggingface" / "download"
    cache.mkdir(parents=True)
    (cache / "config.json.lock").write_bytes(b"")
    (cache / "config.json.metadata").write_text("0123456789abcdef0123456789abcdef01234567\n\n1760000000.0\n")
    (tmp_path / ".cache" / "huggingface" / ".gitignore").write_text("*")
    (tmp_path / ".gitattributes").write_text("*.safetensors filter=lfs diff=lfs merge=lfs -text\n")
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "model").write_bytes(pickle.dumps([1]))
    output = run(request_for(tmp_path, ModelScanOptions()))
    assert isinstance(output.measurements, ModelScanMeasurements)
    assert {entry.path: entry.state for entry in output.measurements.files if entry.state != "clean"} == {}


# --- what else bytes could be ---


def _text_and_tar() -> bytes:
    header = bytearray(_tar()[:512])
    header[:4] = b"\x80\x04N."
    header[148:156] = b"        "
    header[148:156] = b"%06o\x00 " % sum(header)
    return bytes(header)


SECOND: dict[str, tuple[bytes, str]] = {
    "zip behind text": (b"harmless\n" + archive({"a.pkl": SYSTEM}), "second-reading"),
    "zip behind an array": (
        npy(
            f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({len(HIDDEN)},)}}",
            HIDDEN,
        ),
        "second-reading",
    ),
    "zip in the numbers of safetensors": (
        safetensors({"a": tensor(0, len(HIDDEN))}, HIDDEN),
        "second-reading",
    ),
    "zip with a comment behind text": (b"harmless\n" + HIDDEN[:-2] + b"\x04\x00text", "second-reading"),
    "tar in a pickle": (_text_and_tar() + bytes(512), "second-reading"),
    "hdf5 behind a user block": (
        b"\x80\x04B" + (1000).to_bytes(4, "little") + bytes(505) + b"\x89HDF\r\n\x1a\n" + bytes(487) + b".",
        "second-reading",
    ),
    "long line": (LONG, "forbidden-global"),
    "line of ten megabytes": (b"V" + b"a" * 10_000_000 + b"\n0" + CALL, "malformed"),
    "integers before": (b"I1\n0" * 200_000 + CALL, "forbidden-global"),
    # The header's length is BINSTRING to an unpickler, and a letter of a name the line that ends in the numbers.
    "pickle in the numbers of safetensors": (
        safetensors(
            b'{"aaaV":{"dtype":"U8","shape":[99],"data_offsets":[0,99]}}'.ljust(0x0854), b"\n00" + CALL.ljust(96)
        ),
        "second-reading",
    ),
    # The version of the model is a mark and a line to an unpickler, and the name of its producer the rest.
    "pickle in the names of onnx": (b"(V" + field(2, b"\n0" + CALL) + onnx(node("Relu")), "forbidden-global"),
    "onnx in the text of a pickle": (
        b"(V" + field(2, b"\n1U" + bytes([len(onnx(node("Relu"))) + 2])) + onnx(node("Relu")) + field(3, b"0N."),
        "second-reading",
    ),
}


@pytest.mark.parametrize("case", SECOND)
def test_a_second_reading_is_found_and_named(tmp_path: Path, case: str) -> None:
    content, rule = SECOND[case]
    report = scanned(tmp_path, content, "model.txt")
    assert rule in rules(report)


def test_what_the_cases_hide_is_what_unpicklers_see() -> None:
    """Nothing is called here: an unpickler that resolves no name is asked which one it would want."""

    class Asked(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> object:
            raise LookupError(f"{module}.{name}")

    for case in ("pickle in the numbers of safetensors", "pickle in the names of onnx", "long line"):
        with pytest.raises(LookupError, match=r"os\.getcwd"):
            Asked(io.BytesIO(SECOND[case][0])).load()


def test_much_ordinary_text_is_clean_and_fast(tmp_path: Path) -> None:
    for name, line in (
        ("a.csv", b"Value,Name,1\n"),
        ("a.jsonl", b'{"text": "a line of it"}\n'),
        ("t", b"V and more\n"),
    ):
        path = tmp_path / name
        path.write_bytes(line * (5_000_000 // len(line)))
        started = time.process_time()
        report = scan_file(path, name=name)
        assert (report.coverage.format, report.coverage.state) == ("text", "clean")
        assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "text",
    [
        "No. America\nS. Africa\n",
        "cat\ndog\nbird\n",
        "import\ncats\nthe\n(in\n.\n",
        "V\nS\nI\nF\nc\ng\np\nP\n",
        "I am a text.\n",
        "x^2 + y^2\n",
        "MZ is where I live\n",
        "BZhang wrote this\n",
        "GGUF models are quantised\n",
        "Person\nNobody\n.\n",
        "PATH=/usr/bin\nKEY=1\n",
        "[section]\nkey = value\n",
        "(see below)\nnothing\n",
        "§1 Rar! PK\n",
    ],
    ids=lambda text: text.split("\n")[0][:12],
)
def test_text_that_begins_as_opcodes_or_magic_do_is_clean(tmp_path: Path, text: str) -> None:
    report = scanned(tmp_path, text.encode())
    assert (report.coverage.format, report.findings, report.undecided) == ("text", (), ())


@pytest.mark.parametrize("name", ["a.yaml", "MLmodel"])
def test_yaml_is_judged_as_yaml_by_whatever_loader_finds_it(tmp_path: Path, name: str) -> None:
    report = scanned(tmp_path, b"key: value\n", name)
    assert (report.coverage.format, report.coverage.state) == ("yaml", "clean")
    assert scanned(tmp_path, b"key: !!python/object:os.system {}\n", name).coverage.state == "refused"


@pytest.mark.parametrize("name", ["a.pbtxt", "a.xml", "config.cfg", "evil.pth"])
def test_text_that_a_loader_reads_by_name_is_not_clean_as_mere_text(tmp_path: Path, name: str) -> None:
    assert scanned(tmp_path, b"key: value\n", name).coverage.state == "undecided"
    assert scanned(tmp_path, b'{"key": "value"}\n', name).coverage.format != "json"


def test_members_of_an_archive_are_judged_even_beside_one_that_is_not(tmp_path: Path) -> None:
    hdf5 = b"\x89HDF\r\n\x1a\n" + bytes(40)
    content = archive({"model.weights.h5": hdf5, "config.json": b'{"auto_map": {"AutoModel": "a.B"}}'})
    report = scanned(tmp_path, content, "m.keras")
    assert rules(report) == ["remote-code"]
    assert [place.location for place in report.undecided] == ["m.keras!model.weights.h5"]


def test_an_archive_is_torchs_by_its_members(tmp_path: Path) -> None:
    with_version = torch_archive(state_dict(), storages={"0": bytes(16)})
    without = archive({"archive/data.pkl": state_dict(), "archive/data/0": bytes(16)})
    assert scanned(tmp_path, with_version, "m.zip").coverage.state == "clean"
    assert "persistent-id" in rules(scanned(tmp_path, without, "m.pt"))
