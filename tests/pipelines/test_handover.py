from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from tests.builders import FILES, make_model, make_record
from tests.pipelines.conftest import RUN, make_handover
from weighbridge import _json
from weighbridge.errors import InputError, ParseError, VerificationError
from weighbridge.evidence.record import CheckName, ExaminedFile, Tool
from weighbridge.model.digest import hash_model
from weighbridge.oci.image import read_image
from weighbridge.pipelines import handover as module
from weighbridge.pipelines.handover import Handover

TOOL = Tool(name="weighbridge", version="0.1.0")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_model(tmp_path / "model")


@pytest.mark.parametrize("check", CheckName)
def test_what_was_measured_survives_the_way(model: Path, tmp_path: Path, check: CheckName) -> None:
    written = make_handover(model, check)
    written.write(tmp_path / "measured")
    assert Handover.read(tmp_path / "measured", check=check) == written
    assert written.measurements == make_record(check).measurements


@pytest.mark.parametrize(
    "field", ["subject", "digest", "started", "finished", "time", "nonce", "signer", "key", "verdict", "result"]
)
def test_refuses_what_would_give_it_weight(model: Path, field: str) -> None:
    plain = json.loads(_json.dumps(make_handover(model)))
    plain[field] = "x"
    with pytest.raises(ParseError, match=field):
        Handover.parse(json.dumps(plain).encode(), what="the handover")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"measurements": None}, "does not say why"),
        ({"check": "leakage"}, "is of leakage and has measurements of model-scan"),
        ({"check": "posture"}, "not acceptable"),
        ({"run": "../run"}, "not acceptable"),
        ({"examined": "AB" * 32}, "not acceptable"),
        ({"parameters": {str(i): i for i in range(65)}}, "not acceptable"),
        ({"findings": [{"rule": "x"}]}, "not acceptable"),
        ({"files": [{"path": "a", "size": 1, "sha256": "AB" * 32}]}, "not acceptable"),
        ({"files": [{"path": "a", "size": -1, "sha256": "0" * 64}]}, "not acceptable"),
        ({"view": {"kind": "blessed", "summary": ""}}, "not acceptable"),
    ],
)
def test_refuses_another_shape(model: Path, changes: dict[str, object], why: str) -> None:
    plain = json.loads(_json.dumps(make_handover(model))) | changes
    with pytest.raises(ParseError, match=why):
        Handover.parse(json.dumps(plain).encode(), what="the handover")


@pytest.mark.parametrize(
    "data", [b"", b"[" * 10_000, b"\xff", b'{"check": "model-scan", "check": "model-scan"}', b"{}"]
)
def test_refuses_what_is_no_handover(data: bytes) -> None:
    with pytest.raises(ParseError):
        Handover.parse(data, what="the handover")


def test_refuses_duplicate_keys_that_one_parser_would_take(model: Path) -> None:
    data = _json.dumps(make_handover(model)).replace(b'{"check":', b'{"run":"run-2","check":', 1)
    with pytest.raises(ParseError, match="twice"):
        Handover.parse(data, what="the handover")


def test_refuses_more_bytes_than_the_limit(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_handover(model).write(tmp_path / "measured")
    monkeypatch.setattr(module, "MAX_HANDOVER_BYTES", 100)
    with pytest.raises(InputError, match="larger than 100"):
        Handover.read(tmp_path / "measured", check=CheckName.MODEL_SCAN)


def test_one_check_cannot_speak_for_another(model: Path, tmp_path: Path) -> None:
    make_handover(model, CheckName.LEAKAGE).write(tmp_path / "measured")
    with pytest.raises(ParseError, match="should be of model-scan"):
        Handover.read(tmp_path / "measured", check=CheckName.MODEL_SCAN)


def test_holds_only_for_its_model_run_and_version(model: Path) -> None:
    found, image = make_handover(model), read_image(model)
    digest, files = image.digest, image.files
    found.require(model=digest, files=files, run=RUN, tool=TOOL)
    (model / "a.bin").write_bytes(b"weightz")
    with pytest.raises(VerificationError, match="examined"):
        found.require(model=hash_model(model), files=files, run=RUN, tool=TOOL)
    with pytest.raises(VerificationError, match="cache"):
        found.require(model=digest, files=files, run="run-2", tool=TOOL)
    with pytest.raises(VerificationError, match=r"9\.9"):
        found.require(model=digest, files=files, run=RUN, tool=Tool(name="weighbridge", version="9.9"))


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ((), "does not say which files"),
        (FILES[:1], r"other files .*: 'config.json'"),
        ((msgspec.structs.replace(FILES[0], sha256="1" * 64), FILES[1]), r"other files .*: 'a.bin'"),
        ((*FILES, msgspec.structs.replace(FILES[0], path="b.bin")), r"other files .*: 'b.bin'"),
        (FILES[::-1], "out of order"),
        ((*FILES, FILES[1]), "listed twice"),
    ],
)
def test_refuses_files_that_are_not_those_of_the_model(model: Path, files: tuple[ExaminedFile, ...], why: str) -> None:
    image = read_image(model)
    with pytest.raises(VerificationError, match=why):
        make_handover(model, files=files).require(model=image.digest, files=image.files, run=RUN, tool=TOOL)


def test_names_at_most_a_number_of_files(model: Path) -> None:
    many = [{"path": f"{number}", "size": 0, "sha256": "0" * 64} for number in range(module.MAX_FILES + 1)]
    plain = json.loads(_json.dumps(make_handover(model))) | {"files": many}
    with pytest.raises(ParseError, match="not acceptable"):
        Handover.parse(json.dumps(plain).encode(), what="the handover")
