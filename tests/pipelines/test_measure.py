from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders import make_model
from weighbridge.checks.interface import ModelScanOptions
from weighbridge.clock import system_clock
from weighbridge.errors import UsageError
from weighbridge.evidence.record import CheckName
from weighbridge.model.digest import hash_model
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
