from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders import Scene, make_model


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(make_model(tmp_path / "model"))
