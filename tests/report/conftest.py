"""Golden files of the reports: ``--update-golden`` writes them anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

GOLDENS = Path(__file__).parent / "goldens"
Golden = Callable[[str, str], None]


@pytest.fixture
def golden(update_golden: bool) -> Golden:
    """Compare a text with a golden file, or write the file when asked to."""

    def compare(text: str, name: str) -> None:
        path = GOLDENS / name
        if update_golden:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"{name} is missing; --update-golden writes it"
        assert text == path.read_text(encoding="utf-8"), f"{name} differs; --update-golden accepts the new text"

    return compare
