from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.builders import POLICY, Scene, make_model, make_record
from tests.cli.conftest import judged, shell  # noqa: F401 - the same scene, on disk
from weighbridge.evidence.record import CheckName
from weighbridge.model.digest import hash_model
from weighbridge.pipelines.handover import Handover

RUN = "run-1"
SCAN_ONLY = POLICY[: POLICY.index("    - check: dependency-audit")] + "  separation: [[scanner], [verifier]]\n"
"""The part of the policy that needs no data beside the model."""


def make_handover(model: Path, check: CheckName = CheckName.MODEL_SCAN, **changes: object) -> Handover:
    handover = Handover.of(make_record(check), model=hash_model(model), run=RUN)
    return msgspec.structs.replace(handover, **changes)


@pytest.fixture
def scanned(judged: Scene, tmp_path: Path) -> Scene:  # noqa: F811 - a fixture of that name
    """The scene with a policy that asks for a scan only, and a model that a real scan finds clean."""
    model = make_model(tmp_path / "model")
    for entry in model.iterdir():
        entry.unlink()
    (model / "config.json").write_text('{"layers": 2}')
    (tmp_path / "policy.yaml").write_text(SCAN_ONLY)
    for entry in (tmp_path / "evidence").iterdir():
        entry.unlink()
    return judged
