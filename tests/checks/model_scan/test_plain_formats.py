"""What is read as plain data: honest files are clean, and each hostile sibling is refused for what is wrong with it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.attacks import model_readings
from tests.attacks.models import Case
from weighbridge.checks.model_scan.check import scan_file

RULES = {
    ("ubjson", "pickle-behind"): "trailing-bytes",
    ("ubjson", "zip-behind"): "second-reading",
    ("ubjson", "hdf5-inside"): "second-reading",
    ("ubjson", "names-code"): "code-reference",
    ("ubjson", "remote-code"): "remote-code",
    ("ubjson", "template"): "unsafe-template",
    ("ubjson", "pickle-in-text"): "forbidden-global",
    ("ubjson", "cut"): "truncated",
    ("ubjson", "array-too-long"): "truncated",
    ("triton", "outside"): "outside-reference",
    ("triton", "outside-by-capability"): "outside-reference",
    ("triton", "template"): "unsafe-template",
    ("typed-dill", "system"): "forbidden-global",
    ("typed-dill", "kept"): "function-as-data",
    ("typed-training", "planted-system"): "forbidden-global",
    ("typed-training", "other-class"): "forbidden-global",
    ("typed-training", "second-state"): "forbidden-state",
    ("typed-training", "method-of-all"): "forbidden-state",
    ("typed-training", "planted-function"): "forbidden-state",
    ("typed-training", "planted-partial"): "forbidden-state",
    ("typed-training", "enum-of-two"): "forbidden-arguments",
}
OTHERWISE = {"ubjson": "malformed-ubjson", "triton": "code-reference", "typed-dill": "forbidden-arguments"}


@pytest.mark.parametrize("case", model_readings.siblings(), ids=str)
@pytest.mark.parametrize("name", ["", "model", "weights.bin"])
def test_honest_sibling_is_clean(case: Case, name: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(case.content)
    report = scan_file(path, name=name or case.filename)
    assert report.coverage.state == "clean", (report.findings, report.undecided)


@pytest.mark.parametrize(
    "case", [one for one in model_readings.cases() if one.category in {kind for kind, _ in RULES}], ids=str
)
def test_names_the_rule(case: Case, tmp_path: Path) -> None:
    path = tmp_path / case.filename
    path.write_bytes(case.content)
    found = {finding.rule for finding in scan_file(path, name=case.filename).findings}
    wanted = RULES.get((case.category, case.name)) or OTHERWISE.get(case.category)
    assert wanted is None or wanted in found, found


def test_ubjson_that_is_damaged_anywhere_raises_nothing(tmp_path: Path) -> None:
    dice = random.Random(7)
    honest = model_readings.booster()
    path = tmp_path / "m.ubj"
    for _ in range(400):
        content = bytearray(honest)
        for _ in range(dice.randint(1, 3)):
            content[dice.randrange(6, len(content))] = dice.choice([0, 255, *b"{}[]$#LSiIldDUTFZ"])
        path.write_bytes(bytes(content[: dice.choice([len(content), dice.randrange(len(content))])]))
        report = scan_file(path, name="m.ubj")
        assert report.coverage.coverage is not None
        assert report.coverage.state != "clean" or not report.coverage.coverage.undecided
