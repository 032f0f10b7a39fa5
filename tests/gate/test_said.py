"""What a reader is told, wherever he reads it; and that doing what a remedy says helps."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.builders import (
    MODEL_DIGEST,
    NOW,
    POLICY,
    SUM,
    Scene,
    make_record,
    measurements_of,
    seed_of,
    trust_bytes,
)
from tests.gate.test_against_the_model import judged
from tests.gate.test_inputs import text_with
from weighbridge.cli._bindings import Given, bindings_of
from weighbridge.errors import ParseError, VerificationError, WeighbridgeError
from weighbridge.evidence.keys import KeyAlgorithm, PrivateKey
from weighbridge.evidence.measurements import LeakageMeasurements, RobustnessMeasurements
from weighbridge.evidence.record import CheckName
from weighbridge.evidence.store import StoredFile
from weighbridge.gate.decision import VerdictResult
from weighbridge.gate.judge import judge
from weighbridge.gate.verdict import write_verdict
from weighbridge.policy import Policy
from weighbridge.policy.edit import bind
from weighbridge.trust import Trust
from weighbridge.trust.edit import add_key, dump, parse_document, retire_key

AUDIT, SCAN, ROBUSTNESS, LEAKAGE = (
    CheckName.DEPENDENCY_AUDIT,
    CheckName.MODEL_SCAN,
    CheckName.ROBUSTNESS,
    CheckName.LEAKAGE,
)


def test_to_retire_a_key_never_makes_it_valid_for_longer(scene: Scene) -> None:
    document = parse_document(trust_bytes(scene.keys), name="t")
    key = scene.keys["tester"].public
    ended = retire_key(document, key_id=key.id, at=NOW - timedelta(days=30))
    with pytest.raises(VerificationError):
        Trust.parse(dump(ended), name="t").role_of(key, signs="robustness", now=NOW)
    try:
        again = retire_key(ended, key_id=key.id, at=NOW + timedelta(days=14))
    except WeighbridgeError:
        return
    with pytest.raises(VerificationError):
        Trust.parse(dump(again), name="t").role_of(key, signs="robustness", now=NOW)


@pytest.mark.parametrize("output", ["html", "markdown", "sarif", "junit", "json"])
def test_every_report_says_what_is_unbound(scene: Scene, output: str) -> None:
    from weighbridge.cli import _views, _write

    decision = judged(scene, text_with("lock", "unbound"))
    assert decision.result is VerdictResult.PASSED
    (sentence,) = decision.weaknesses
    view = _views.of_decision(decision, model="m", files=scene.files(), signed_by="verifier")
    assert sentence[:30] in _write.render(view, output=output)


def test_the_step_that_verifies_says_what_is_unbound(scene: Scene, tmp_path: Path) -> None:
    from weighbridge.pipelines.call import Call
    from weighbridge.pipelines.perform import Surroundings, perform
    from weighbridge.pipelines.spec import STEPS

    decision = judged(scene, text_with("lock", "unbound"))
    (tmp_path / "v").write_bytes(write_verdict(decision, name="m", version="0", signer=scene.keys["verifier"]))
    call = Call(
        step=STEPS["verify-model"],
        values={
            "model": scene.model,
            "verdict": tmp_path / "v",
            "trust": trust_bytes(scene.keys),
            "policy": text_with("lock", "unbound").encode(),
        },
        outputs={"verified": tmp_path / "out" / "verified"},
    )
    around = Surroundings(clock=lambda: NOW, open_key=lambda *_: scene.keys["verifier"], render=lambda _: "")
    outcome = perform(call, around)
    assert "unbound" in outcome.line or "mind" in outcome.line, outcome.line


@pytest.mark.parametrize("end", ["\u2028", "\u2029", "\x85", "\r"])
def test_a_comment_does_not_end_where_nobody_sees_it(end: str) -> None:
    text = POLICY.replace(
        "  requirements:\n",
        f"  # nothing to see here{end}  confinement: recorded{end}  view: recorded\n  requirements:\n",
    )
    with pytest.raises(ParseError):
        Policy.parse(text.encode(), name="p")


def test_honest_the_epsilon_of_the_remedy_is_the_policys() -> None:
    import re

    from weighbridge.gate.limits import amount_problems, problems_of
    from weighbridge.policy import RobustnessRequirement

    text = POLICY.replace("epsilon: 0.1,", "epsilon: 0.03137254901960784,")  # 8/255
    (spec,) = [
        item.spec
        for item in Policy.parse(text.encode(), name="p").requirements
        if isinstance(item.spec, RobustnessRequirement)
    ]
    measured = measurements_of(ROBUSTNESS)

    def problems(epsilon: float) -> list[Any]:
        made = make_record(ROBUSTNESS, measurements=msgspec.structs.replace(measured, epsilon=epsilon))
        return [*problems_of(spec, made, model=MODEL_DIGEST, now=NOW), *amount_problems(spec, made)]

    (problem,) = problems(0.01)
    told = re.search(r"--epsilon (\S+)", problem.remedy)
    assert told is not None
    assert not problems(float(told[1])), told[0]


def test_honest_the_confidence_of_the_remedy_is_the_one_that_is_asked_for() -> None:
    import re

    from weighbridge.gate.limits import problems_of
    from weighbridge.gate.statistics import tightened_spec
    from weighbridge.policy import LeakageRequirement

    (spec,) = [
        item.spec
        for item in Policy.parse(POLICY.encode(), name="p").requirements
        if isinstance(item.spec, LeakageRequirement)
    ]
    tight = tightened_spec(spec, tries=11)
    measured = measurements_of(LEAKAGE)
    assert isinstance(measured, LeakageMeasurements)
    entry = measured.entries[0]

    def problems(confidence: float) -> list[Any]:
        rate = msgspec.structs.replace(entry.rates[0], confidence=confidence)
        changed = msgspec.structs.replace(measured, entries=(msgspec.structs.replace(entry, rates=(rate,)),))
        return list(problems_of(tight, make_record(LEAKAGE, measurements=changed), model=MODEL_DIGEST, now=NOW))

    (problem,) = problems(0.95)
    told = re.search(r"--confidence (\S+)", problem.remedy)
    assert told is not None
    assert not problems(float(told[1])), told[0]


@pytest.mark.parametrize("tries", [10, 11, 19])
def test_honest_a_run_measures_what_every_try_needs_that_the_starter_policy_allows(tries: int) -> None:
    from weighbridge.gate.run import confidences_for
    from weighbridge.gate.statistics import tightened

    wanted = tightened(0.95, tries=tries)  # the starter policy says maxTries: 20
    assert any(each == pytest.approx(wanted, abs=1e-9) for each in confidences_for(0.95, (0.9, 0.95, 0.99)))


def test_honest_a_small_number_is_the_same_in_a_cluster() -> None:
    from weighbridge import _yaml
    from weighbridge.admission.objects import policy_of

    text = POLICY.replace("tprAtFpr: 0.01", "tprAtFpr: 0.000001")
    on_disk = Policy.parse(text.encode(), name="p")
    assert policy_of(json.loads(json.dumps(_yaml.load(text.encode(), name="p").value))).digest == on_disk.digest


def test_honest_about_of_test_data_is_refused_or_counts(scene: Scene) -> None:
    """To sign test data about one line of models is refused, where a policy would not look for it."""
    from weighbridge.evidence.inputs import sign_input
    from weighbridge.evidence.measurements import InputRole

    content, curator = b"test data", PrivateKey.generate(KeyAlgorithm.ED25519)
    measured = measurements_of(ROBUSTNESS)
    assert isinstance(measured, RobustnessMeasurements)
    data = msgspec.structs.replace(measured.data, sha256=hashlib.sha256(content).hexdigest())
    measured = msgspec.structs.replace(measured, data=data, seed=seed_of(ROBUSTNESS, data).value)
    scene.records[ROBUSTNESS] = make_record(ROBUSTNESS, measurements=measured)
    try:
        signature = sign_input(content, name="t", role=InputRole.TEST, signer=curator, now=NOW, about="digits")
        found = bindings_of(Given(signed=("test=curator",), about="digits"), fallback=None, accepted=None)
    except WeighbridgeError:
        return
    block = POLICY.partition("  inputs: {")[0] + "  inputs:\n    lock: unbound\n"
    block += "".join(f'    {role}: {{sha256: ["{SUM}"]}}\n' for role in ("members", "nonMembers", "advisories"))
    text = bind(block.encode(), bindings=found, name="p").decode()
    document = add_key(
        parse_document(trust_bytes(scene.keys), name="t"),
        role="curator",
        signs=("input:test",),
        key=curator.public,
        not_after=None,
    )
    decision = judge(
        scene.digest,
        policy=Policy.parse(text.encode(), name="p"),
        trust=Trust.parse(dump(document), name="t"),
        files=[*scene.files(), StoredFile("i.sigstore.json", signature)],
        now=NOW,
    )
    assert decision.result is VerdictResult.PASSED, decision.outcomes


def test_the_line_of_a_step_steers_no_terminal(scene: Scene, tmp_path: Path) -> None:
    from weighbridge.cli.step import run_step  # noqa: F401 - prints `outcome.line` as it is
    from weighbridge.pipelines.call import Call
    from weighbridge.pipelines.perform import Surroundings, perform
    from weighbridge.pipelines.spec import STEPS

    measured = measurements_of(ROBUSTNESS)
    assert isinstance(measured, RobustnessMeasurements)
    data = msgspec.structs.replace(measured.data, name="x\x1b[2K\rgate: passed and bound.npz")
    scene.records[ROBUSTNESS] = make_record(ROBUSTNESS, measurements=msgspec.structs.replace(measured, data=data))
    (tmp_path / "evidence").mkdir()
    for file in scene.files():
        (tmp_path / "evidence" / file.name).write_bytes(file.data)
    call = Call(
        step=STEPS["gate"],
        values={
            "model": scene.model,
            "evidence": tmp_path / "evidence",
            "trust": trust_bytes(scene.keys),
            "policy": text_with("test", "unbound").encode(),
            "key": "k",
            "name": "m",
        },
        outputs={name: tmp_path / "out" / name for name in ("verified", "verdict", "report")},
    )
    (tmp_path / "out").mkdir()
    around = Surroundings(clock=lambda: NOW, open_key=lambda *_: scene.keys["verifier"], render=lambda _: "")
    outcome = perform(call, around)
    assert outcome.result == "passed"
    assert "\x1b" not in outcome.line, repr(outcome.line)


def test_the_report_of_check_says_what_is_unbound_where_a_policy_only_audits() -> None:
    import yaml

    from tests.admission import builders
    from tests.admission.builders import good_cluster, pod
    from weighbridge.admission.offline import Surroundings, check_files
    from weighbridge.admission.policies import PolicySet
    from weighbridge.admission.verdicts import VerdictIndex
    from weighbridge.evidence.measurements import InputRole
    from weighbridge.gate.decision import Bond
    from weighbridge.gate.summary import InputSummary
    from weighbridge.report.admission import write_json

    cluster = good_cluster()
    unbound = InputSummary(role=InputRole.TEST, name="t.npz", sha256=SUM, bond=Bond.UNBOUND)
    audits = builders.policy(more="  mode: audit\n  default: true\n")
    data = cluster.signed.sign(inputs=(unbound,))
    around = Surroundings(
        policies=PolicySet.of([audits]),
        trust=cluster.signed.trust,
        verdicts=VerdictIndex.of([("v", data)]),
        now=NOW,
    )
    report = check_files((("pod.yaml", yaml.safe_dump(pod()).encode()),), surroundings=around)
    assert report.verdict == "passed"
    assert "unbound" in write_json(report) or "binds" in write_json(report)


def test_policy_show_says_what_a_policy_lets_pass(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from weighbridge.cli import command

    text = POLICY.replace("spec:\n", "spec:\n  confinement: recorded\n  view: recorded\n", 1) + (
        "  waivers:\n    - {check: dependency-audit, id: PYSEC-1, component: demo, reason: r, owner: o, "
        "expires: 2026-12-31}\n"
    )
    path = tmp_path / "p.yaml"
    path.write_text(text)
    shown = CliRunner().invoke(command, ["policy", "show", str(path)]).output
    assert "recorded" in shown
    assert "PYSEC-1" in shown


def test_honest_a_line_of_models_that_no_policy_can_name_is_not_signed() -> None:
    from weighbridge.evidence.inputs import sign_input
    from weighbridge.evidence.measurements import InputRole

    curator = PrivateKey.generate(KeyAlgorithm.ED25519)
    with pytest.raises(WeighbridgeError):
        sign_input(b"x", name="x", role=InputRole.MEMBERS, signer=curator, now=NOW, about="Digits v2")
