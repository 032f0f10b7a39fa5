"""A report shows the newest evidence, and the rest as one line that never doubts a good signature."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import pytest

from tests.builders import NOW, Scene, make_record
from weighbridge.cli import _views
from weighbridge.evidence.record import CheckName
from weighbridge.evidence.store import StoredFile
from weighbridge.gate.judge import judge
from weighbridge.report.interface import ReportInput

OLD = NOW - timedelta(days=2)


@pytest.fixture
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    from tests.builders import make_model

    return Scene(make_model(tmp_path_factory.mktemp("place") / "model"))


def older(scene: Scene, *checks: CheckName, finished: datetime = OLD) -> list[StoredFile]:
    """Return evidence of an earlier run."""
    records = [make_record(check, finished=finished, nonce="ff" * 16) for check in checks or CheckName]
    return [StoredFile(f"old-{record.check}.sigstore.json", scene.sign(record)) for record in records]


def report_of(scene: Scene, files: list[StoredFile]) -> ReportInput:
    decision = judge(scene.digest, policy=scene.policy, trust=scene.trust, files=files, now=NOW)
    return _views.of_decision(
        decision, model="model", files=files, signed_by="verifier", signed_key=scene.keys["verifier"].public.id
    )


def test_second_run_does_not_double_the_report(scene: Scene) -> None:
    report = report_of(scene, [*older(scene), *scene.files()])
    assert report.verdict is not None
    assert report.verdict.verdict == "passed"
    assert sorted(view.record.check for view in report.evidence) == sorted(CheckName)
    assert not any(view.source.startswith("old-") for view in report.evidence)
    assert {(view.signature, view.why) for view in report.aside} == {("verified", "older, not asked")}
    assert len(report.aside) == len(CheckName)


def test_evidence_and_verdict_have_the_fingerprints_of_their_keys(scene: Scene) -> None:
    report = report_of(scene, scene.files())
    assert {view.record.check: view.key for view in report.evidence} == {
        CheckName.MODEL_SCAN: scene.keys["scanner"].public.id,
        CheckName.DEPENDENCY_AUDIT: scene.keys["auditor"].public.id,
        CheckName.ROBUSTNESS: scene.keys["tester"].public.id,
        CheckName.LEAKAGE: scene.keys["tester"].public.id,
    }
    assert report.verdict is not None
    assert report.verdict.signed_key == scene.keys["verifier"].public.id
    assert report.verdict.policy_file == "policy.yaml"


def test_check_that_the_policy_does_not_name_is_set_aside(scene: Scene) -> None:
    lines = scene.policy_text.splitlines(keepends=True)
    start = next(place for place, line in enumerate(lines) if "check: leakage" in line)
    scene.policy_text = "".join([*lines[:start], *lines[start + 4 :]])
    report = report_of(scene, scene.files())
    (view,) = report.aside
    assert (view.record.check, view.signature) == (CheckName.LEAKAGE, "verified")
    assert view.why == "not asked: the policy does not name this check"


def test_failure_that_stands_is_shown_however_old_it_is(scene: Scene) -> None:
    weak = make_record(CheckName.ROBUSTNESS, finished=OLD, nonce="ff" * 16)
    assert weak.measurements is not None
    entry = msgspec.structs.replace(weak.measurements.entries[0], survived=0)  # type: ignore[union-attr]
    weak = msgspec.structs.replace(weak, measurements=msgspec.structs.replace(weak.measurements, entries=(entry,)))
    report = report_of(scene, [StoredFile("weak.sigstore.json", scene.sign(weak)), *scene.files()])
    assert report.verdict is not None
    assert report.verdict.verdict == "failed"
    assert "weak.sigstore.json" in [view.source for view in report.evidence]
    assert report.aside == ()


def test_file_that_is_not_accepted_keeps_its_reason(scene: Scene) -> None:
    stranger = StoredFile("x.sigstore.json", scene.sign(make_record(CheckName.MODEL_SCAN), role="tester"))
    report = report_of(scene, [stranger, *scene.files()])
    (view,) = [view for view in report.evidence if view.source == "x.sigstore.json"]
    assert view.signature == "invalid"
    assert view.why


def test_without_trust_the_newest_is_shown_and_nobody_has_checked_a_signature(scene: Scene) -> None:
    files = [*older(scene, CheckName.MODEL_SCAN), *scene.files()]
    report = _views.of_evidence(files, model="model", digest=scene.digest)
    assert len(report.evidence) == len(CheckName)
    assert {view.signature for view in (*report.evidence, *report.aside)} == {"unverified"}
    assert [view.source for view in report.aside] == ["old-model-scan.sigstore.json"]


def test_equally_new_evidence_is_all_shown(scene: Scene) -> None:
    same = older(scene, CheckName.MODEL_SCAN, finished=NOW - timedelta(hours=1))
    report = _views.of_evidence([*same, *scene.files()], model="model", digest=scene.digest)
    assert report.aside == ()
    assert len(report.evidence) == len(CheckName) + 1


def test_failure_that_was_repeated_is_told_once(scene: Scene) -> None:
    def weak(finished: datetime, nonce: str) -> bytes:
        record = make_record(CheckName.ROBUSTNESS, finished=finished, nonce=nonce)
        assert record.measurements is not None
        entry = msgspec.structs.replace(record.measurements.entries[0], survived=0)  # type: ignore[union-attr]
        measured = msgspec.structs.replace(record.measurements, entries=(entry,))
        return scene.sign(msgspec.structs.replace(record, measurements=measured))

    del scene.records[CheckName.ROBUSTNESS]
    again = StoredFile("again.sigstore.json", weak(NOW - timedelta(hours=1), "ee" * 16))
    report = report_of(scene, [*scene.files(), StoredFile("first.sigstore.json", weak(OLD, "ff" * 16)), again])
    assert report.verdict is not None
    said = next(item for item in report.verdict.requirements if item.check is CheckName.ROBUSTNESS)
    assert said.state == "failed"
    assert said.reason.count("still right under attack") == 1
    assert "another result of the same model stands" not in said.reason
