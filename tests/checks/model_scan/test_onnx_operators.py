"""Operators of an ONNX model that run Python are findings, wherever they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks.model_files import field, node, onnx
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


@pytest.mark.parametrize(
    ("domain", "name"), [("com.microsoft", "FusedConv"), ("ai.onnx.contrib", "BertTokenizer"), ("", "OfALaterRelease")]
)
def test_an_operator_of_a_runtime_that_is_not_listed_is_undecided(domain: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(onnx(node(name, domain=domain)))
    report = scan_file(tmp_path / "m", name="m")
    assert not report.findings
    assert [one.code for one in report.undecided] == ["unknown-operator"]


@pytest.mark.parametrize(
    "model",
    [
        onnx(node("Run", domain="someone.elses")),
        onnx(node("If", extra=field(5, field(6, field(1, node("Run", domain="someone.elses")))))),
        onnx(
            node("Relu"),
            extra=field(25, field(1, "F") + field(10, "f") + field(7, node("Run", domain="someone.elses"))),
        ),
        onnx(node("Run", domain="com.microsoftish")),
    ],
    ids=["in the graph", "in a branch", "in a function", "by nearly the name of a runtime"],
)
def test_an_operator_whose_code_comes_from_elsewhere_is_a_finding(model: bytes, tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(model)
    report = scan_file(tmp_path / "m", name="m")
    assert [one.rule for one in report.findings] == ["foreign-operator"]
    assert report.findings[0].about.endswith(":Run")
