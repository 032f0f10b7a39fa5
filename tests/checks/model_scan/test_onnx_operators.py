"""Operators of an ONNX model that run Python are findings, wherever they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks.model_files import node, onnx
from weighbridge.checks.model_scan.check import scan_file


@pytest.mark.parametrize(
    ("domain", "name"),
    [("ai.onnx.contrib", "PyOp"), ("ai.onnx.contrib", "PyCustom"), ("com.microsoft", "PythonOp")],
)
def test_an_operator_that_runs_python_is_a_finding(domain: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(onnx(node(name, domain=domain)))
    report = scan_file(tmp_path / "m", name="m")
    assert [one.rule for one in report.findings] == ["operator-runs-python"]
    assert not report.undecided


def test_an_operator_of_an_unknown_domain_is_undecided(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(onnx(node("Run", domain="someone.elses")))
    report = scan_file(tmp_path / "m", name="m")
    assert not report.findings
    assert [one.reason for one in report.undecided] == [
        "the operator 'Run' is of the domain 'someone.elses', whose code is not part of ONNX"
    ]
