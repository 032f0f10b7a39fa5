"""Benign models come out clean, without exception: an alarm here is a defect of the lists or of a parser."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.attacks.model_files import external, onnx
from tests.builders import request_for
from tests.checks.model_scan.benign import estimator_files, other_files
from weighbridge.checks.interface import ModelScanOptions
from weighbridge.checks.model_scan.check import run, scan_file
from weighbridge.evidence.measurements import ModelScanMeasurements

PARTS = 16
"""So many tests share the estimators: one of them is short on a busy machine too."""


@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("part", range(PARTS))
def test_every_estimator_is_clean_in_every_protocol_and_by_joblib(tmp_path: Path, part: int) -> None:
    alarms: dict[str, object] = {}
    count = 0
    for name, data in estimator_files(part, PARTS):
        path = tmp_path / "m"
        path.write_bytes(data)
        report = scan_file(path, name=name)
        count += 1
        if report.coverage.state != "clean":
            alarms[name] = report.findings or report.undecided
    assert count > 1500 / PARTS
    assert alarms == {}


@pytest.mark.filterwarnings("ignore")
def test_every_other_benign_file_is_clean(tmp_path: Path) -> None:
    alarms: dict[str, object] = {}
    for name, data in other_files():
        path = tmp_path / "m"
        path.write_bytes(data)
        report = scan_file(path, name=name)
        if report.coverage.state != "clean":
            alarms[name] = report.findings or report.undecided
    assert alarms == {}


def test_accounts_for_every_file_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    names = ["a.txt", "deep/b.npy", "deep/er/.hidden", "deep/er/c.json"]
    (tmp_path / "a.txt").write_text("hello\n")
    np.save(tmp_path / "deep/b.npy", np.ones(3))
    (tmp_path / "deep/er/.hidden").write_bytes(bytes(10))
    (tmp_path / "deep/er/c.json").write_text("{}")
    output = run(request_for(tmp_path, ModelScanOptions()))
    assert isinstance(output.measurements, ModelScanMeasurements)
    assert sorted(entry.path for entry in output.measurements.files) == sorted(names)
    assert [entry.path for entry in output.measurements.files if entry.state != "clean"] == ["deep/er/.hidden"]
    assert all(len(digest) == 64 for digest in output.measurements.allow_lists.values())
    assert {"sklearn", "torch", "onnx-operators"} <= set(output.measurements.allow_lists)


def test_external_data_of_an_onnx_model_is_clean(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(onnx(tensors=(external("w.data"), external("w.data", offset="4"))))
    (tmp_path / "w.data").write_bytes(bytes(8))
    output = run(request_for(tmp_path, ModelScanOptions()))
    assert (output.findings, output.undecided) == ((), ())


def test_same_file_gives_the_same_report(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones(3))
    request = request_for(tmp_path, ModelScanOptions())
    assert run(request) == run(request)
