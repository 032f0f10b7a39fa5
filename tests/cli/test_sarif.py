from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from weighbridge.cli._views import place_of
from weighbridge.report.interface import Place

PAYLOAD = b"cos\ngetcwd\n(tR."


def model(directory: Path) -> None:
    (directory / "models" / "my digits").mkdir(parents=True)
    (directory / "models" / "my digits" / "a.pkl").write_bytes(PAYLOAD)


@pytest.mark.parametrize("named", ["models/my digits", "models/my digits/a.pkl", "models/../models/my digits"])
def test_scan_names_files_by_where_they_lie_beneath_the_current_directory(
    shell: Shell, named: str, tmp_path: Path
) -> None:
    model(tmp_path)
    done = shell.run("scan", named, "--format", "sarif")
    assert done.code == 1
    (result,) = json.loads(done.out)["runs"][0]["results"]
    artifact = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": "models/my%20digits/a.pkl", "uriBaseId": "%SRCROOT%"}


@pytest.mark.parametrize(
    ("where", "named", "place"),
    [
        (".", "models/my digits", Place("models/my digits", "models/my digits")),
        (".", "models/my digits/a.pkl", Place("models/my digits/a.pkl", "models/my digits")),
        ("models/my digits", "a.pkl", Place("a.pkl", "")),
        ("models/my digits", ".", Place("", "")),
        ("models/my digits", "../../models", None),
        (".", "models/absent", None),
    ],
)
def test_place_is_relative_to_the_current_directory_and_nothing_outside_it(
    where: str, named: str, place: Place | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model(tmp_path)
    monkeypatch.chdir(tmp_path / where)
    assert place_of(Path(named)) == place
    assert place_of(Path(named).absolute()) == place
