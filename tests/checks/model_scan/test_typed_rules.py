"""Listed names are harmless only as their libraries use them; every other use breaks a rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks import model_places, model_typed
from tests.attacks.models import Case
from weighbridge.checks.model_scan.check import scan_file

RULES = {"forbidden-arguments", "forbidden-state", "function-as-data", "object-bomb"}


@pytest.mark.parametrize("case", [*model_typed.cases(), *model_places.cases()], ids=str)
def test_refuses_a_listed_name_in_a_use_that_nobody_writes(case: Case, tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(case.content)
    report = scan_file(tmp_path / "m", name=case.filename)
    assert {finding.rule for finding in report.findings} <= RULES
    assert report.coverage.state == "refused"


@pytest.mark.parametrize("case", [*model_typed.siblings(), *model_places.siblings()], ids=str)
def test_the_same_parts_in_honest_use_are_clean(case: Case, tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(case.content)
    report = scan_file(tmp_path / "m", name=case.filename)
    assert (report.findings, report.undecided) == ((), ())
    assert report.coverage.state == "clean"
