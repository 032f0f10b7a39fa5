from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.builders import make_model
from weighbridge.checks.interface import ModelScanOptions
from weighbridge.checks.run import run_check
from weighbridge.clock import system_clock
from weighbridge.errors import ModelError, UsageError
from weighbridge.evidence.record import CheckName, CheckRecord
from weighbridge.gate.bytes import PRIVATE_VIEWS
from weighbridge.model.digest import combine, hash_model
from weighbridge.pipelines.measure import measure


def test_refuses_to_open_a_model_beside_a_key(tmp_path: Path) -> None:
    model = make_model(tmp_path / "model")
    (tmp_path / "keys").mkdir()
    with pytest.raises(UsageError, match="in the container that opens the model"):
        measure(model, ModelScanOptions(), run="r", clock=system_clock, key_places=[tmp_path / "keys"])


def test_measures_this_model_in_this_run(tmp_path: Path) -> None:
    model = make_model(tmp_path / "model")
    found = measure(model, ModelScanOptions(), run="run-7", clock=system_clock, key_places=[tmp_path / "keys"])
    assert (found.check, found.run, found.examined) == (CheckName.MODEL_SCAN, "run-7", hash_model(model).hex)
    assert found.measurements is not None
    assert combine([(file.path, file.sha256) for file in found.files]) == hash_model(model)
    assert found.view is not None
    assert found.view.kind in PRIVATE_VIEWS


def test_a_model_that_changed_meanwhile_is_not_handed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_model(tmp_path / "model")

    def meanwhile(*arguments: Any, **options: Any) -> CheckRecord:
        (model / "a.bin").write_bytes(b"weightz")
        return run_check(*arguments, **options)

    monkeypatch.setattr("weighbridge.pipelines.measure.run_check", meanwhile)
    with pytest.raises(ModelError, match=r"changed .*: a\.bin"):
        measure(model, ModelScanOptions(), run="r", clock=system_clock, key_places=[tmp_path / "keys"])
