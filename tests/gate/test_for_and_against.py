"""What speaks against a model is not outlived, told from what an honest user does."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.builders import (
    MODEL_DIGEST,
    NOW,
    POLICY,
    Scene,
    make_record,
    measurements_of,
    seed_of,
    trust_bytes,
)
from tests.gate.test_inputs import text_with
from tests.gate.test_statistics import decide, held_by_platform, outcome_of, robustness
from weighbridge.evidence.keys import KeyAlgorithm, PrivateKey
from weighbridge.evidence.measurements import (
    InputRole,
    LeakageMeasurements,
    RobustnessMeasurements,
    inputs_of,
)
from weighbridge.evidence.record import CheckName
from weighbridge.evidence.store import StoredFile
from weighbridge.gate.decision import VerdictResult
from weighbridge.policy import Policy
from weighbridge.trust import Trust
from weighbridge.trust.edit import add_key, dump, parse_document, retire_key

ROBUSTNESS, LEAKAGE, AUDIT = CheckName.ROBUSTNESS, CheckName.LEAKAGE, CheckName.DEPENDENCY_AUDIT


def on_data(content: bytes, survived: int, minutes: int) -> Any:
    old = robustness(survived, minutes=minutes)
    measured = old.measurements
    assert isinstance(measured, RobustnessMeasurements)
    data = msgspec.structs.replace(measured.data, sha256=hashlib.sha256(content).hexdigest())
    seed = seed_of(ROBUSTNESS, data)
    measured = msgspec.structs.replace(measured, data=data, seed=seed.value)
    return msgspec.structs.replace(old, measurements=measured, seed=seed)


def test_a_failing_result_stands_though_the_key_over_its_data_was_rotated(scene: Scene) -> None:
    from weighbridge.evidence.inputs import sign_input

    old, new = PrivateKey.generate(KeyAlgorithm.ED25519), PrivateKey.generate(KeyAlgorithm.ED25519)
    document = parse_document(trust_bytes(scene.keys), name="t")
    document = add_key(document, role="curator", signs=("input:test",), key=old.public, not_after=None)
    before = Trust.parse(dump(document), name="t")
    document = add_key(document, role="curator", signs=(), key=new.public, not_after=None)
    after = Trust.parse(dump(retire_key(document, key_id=old.public.id, at=NOW - timedelta(minutes=30))), name="t")
    signed = tuple(
        StoredFile(
            f"i{n}.sigstore.json",
            sign_input(data, name="t", role=InputRole.TEST, signer=key, now=NOW - timedelta(minutes=m)),
        )
        for n, (data, key, m) in enumerate([(b"one", old, 200), (b"two", old, 190), (b"two", new, 20)])
    )
    text = text_with("test", "{signers: [curator]}")
    failed, passed = on_data(b"one", 20, 150), on_data(b"two", 180, 10)
    assert decide(scene, passed, failed, text=text, trust=before, more=signed).result is VerdictResult.FAILED
    assert decide(scene, passed, failed, text=text, trust=after, more=signed).result is not VerdictResult.PASSED


def test_more_samples_than_rows_are_no_further_seeds_of_a_platform(scene: Scene) -> None:
    from weighbridge.evidence.seeds import amounts_of, seed_of_platform

    made = robustness(160)
    measured = made.measurements
    assert isinstance(measured, RobustnessMeasurements)
    measured = msgspec.structs.replace(measured, data=msgspec.structs.replace(measured.data, rows=200))
    parameters = {"epsilon": 0.1, "queries": 1000, "samples": 777, "confidence": 0.95}
    seed = seed_of_platform(
        ROBUSTNESS, model=MODEL_DIGEST, inputs=inputs_of(measured), secret=b"s" * 32, amounts=amounts_of(parameters)
    )
    made = msgspec.structs.replace(
        made, measurements=msgspec.structs.replace(measured, seed=seed.value), seed=seed, parameters=parameters
    )
    text = POLICY.replace("    - check: robustness\n", "    - check: robustness\n      seed: platform\n")
    result, words = outcome_of(decide(scene, made, text=text, trust=held_by_platform(scene)))
    assert result is not VerdictResult.PASSED, words


def test_honest_a_key_of_two_roles_signs_inputs_in_either(scene: Scene) -> None:
    from weighbridge.evidence.inputs import sign_input

    curator = PrivateKey.generate(KeyAlgorithm.ED25519)
    document = parse_document(trust_bytes(scene.keys), name="t")
    for role in ("archive", "curator"):
        document = add_key(document, role=role, signs=("input:test",), key=curator.public, not_after=None)
    trust = Trust.parse(dump(document), name="t")
    signature = StoredFile(
        "i.sigstore.json", sign_input(b"one", name="t", role=InputRole.TEST, signer=curator, now=NOW)
    )
    text = text_with("test", "{signers: [curator]}")
    decision = decide(scene, on_data(b"one", 180, 10), text=text, trust=trust, more=(signature,))
    assert decision.result is VerdictResult.PASSED, [each.reason for each in decision.outcomes]


@pytest.mark.parametrize(
    "comment",
    [
        "f\u00fcr\u00a0alle",
        "\u672c\u756a\u3000\u30dd\u30ea\u30b7\u30fc",
        "\U0001f468\u200d\U0001f4bb owns this",
        "\u0645\u06cc\u200c\u0634\u0648\u062f",
    ],
)
def test_honest_comments_in_other_languages(comment: str) -> None:
    Policy.parse(f"# {comment}\n{POLICY}".encode(), name="p")


def test_honest_the_remedy_for_other_samples_is_other_samples(scene: Scene) -> None:
    from tests.gate.test_against_the_model import with_amounts

    text = POLICY.replace("epsilon: 0.1,", "epsilon: 0.1, examples: 500,")
    assert text != POLICY
    # `weighbridge robustness` with its default of 200 samples, all that there are.
    decision = decide(scene, with_amounts(160), text=text)
    (found,) = [each for each in decision.outcomes if each.check is ROBUSTNESS]
    assert found.result is VerdictResult.UNDECIDED
    assert "--samples 500" in found.remedy, (found.reason, found.remedy)


def test_honest_failures_of_another_line_on_its_own_members_are_no_tries(scene: Scene) -> None:
    from tests.gate.test_statistics import of_other_model
    from weighbridge.evidence.inputs import sign_input
    from weighbridge.evidence.seeds import seed_from_digests

    curator = PrivateKey.generate(KeyAlgorithm.ED25519)
    document = add_key(
        parse_document(trust_bytes(scene.keys), name="t"),
        role="curator",
        signs=("input:members",),
        key=curator.public,
        not_after=None,
    )
    trust = Trust.parse(dump(document), name="t")
    signatures = tuple(
        StoredFile(
            f"{about}.sigstore.json",
            sign_input(about.encode(), name="m", role=InputRole.MEMBERS, signer=curator, now=NOW, about=about),
        )
        for about in ("digits", "faces")
    )

    def leak(about: str, minutes: int, upper: float, digest: Any = MODEL_DIGEST) -> Any:
        measured = measurements_of(LEAKAGE)
        assert isinstance(measured, LeakageMeasurements)
        members = msgspec.structs.replace(measured.members, sha256=hashlib.sha256(about.encode()).hexdigest())
        (entry,) = measured.entries
        (rate,) = entry.rates
        entry = msgspec.structs.replace(entry, rates=(msgspec.structs.replace(rate, upper=upper),))
        measured = msgspec.structs.replace(measured, members=members, entries=(entry,))
        made = make_record(LEAKAGE, measurements=measured, finished=NOW - timedelta(minutes=minutes))
        seed = seed_from_digests(LEAKAGE, model=digest, inputs=inputs_of(measured))
        return msgspec.structs.replace(made, seed=seed)

    text = text_with("members", "{signers: [curator], about: digits}")
    others = []
    for number in range(3):
        other, digest = of_other_model(number, 20, minutes=100 + number)
        others.append((msgspec.structs.replace(leak("faces", 100 + number, 0.9, digest), files=other.files), digest))
    alone = decide(scene, leak("digits", 10, 0.04), text=text, trust=trust, more=signatures)
    assert outcome_of(alone, LEAKAGE)[0] is VerdictResult.PASSED, outcome_of(alone, LEAKAGE)
    result, words = outcome_of(
        decide(scene, leak("digits", 10, 0.04), *others, text=text, trust=trust, more=signatures), LEAKAGE
    )
    assert result is VerdictResult.PASSED, words


@pytest.mark.parametrize("confidence", [0.999999999999, 0.99999999999999])
def test_honest_a_strict_confidence_can_be_measured_after_tries(confidence: float) -> None:
    from weighbridge.checks.leakage.label_gap import Seen, strongest_rate_at
    from weighbridge.gate.run import confidences_for

    side = Seen(np.random.default_rng(0).random(50), np.ones(50, dtype=np.bool_))
    for each in confidences_for(confidence, (0.95,), tries=100):
        strongest_rate_at(side, side, fpr=0.1, confidence=each)


def test_honest_the_same_result_once_more_costs_no_tries_that_came_after_it(scene: Scene) -> None:
    """A model in production is measured again for maxAge; candidates for its successor failed meanwhile."""
    from tests.gate.test_statistics import ENOUGH, of_other_model

    first, again = robustness(ENOUGH, minutes=300), robustness(ENOUGH, minutes=10)
    assert outcome_of(decide(scene, again, first))[0] is VerdictResult.PASSED
    others = [of_other_model(number, 20, minutes=100 + number) for number in range(5)]
    assert outcome_of(decide(scene, first, *others))[0] is VerdictResult.PASSED
    result, words = outcome_of(decide(scene, again, first, *others))
    assert result is VerdictResult.PASSED, words


def test_a_failing_result_stands_though_the_signature_of_its_data_was_left_out(scene: Scene) -> None:
    """Of two signed sets the asker keeps back the signature of the one on which 20 of 200 stood."""
    from weighbridge.evidence.inputs import sign_input

    curator = PrivateKey.generate(KeyAlgorithm.ED25519)
    document = add_key(
        parse_document(trust_bytes(scene.keys), name="t"),
        role="curator",
        signs=("input:test",),
        key=curator.public,
        not_after=None,
    )
    trust = Trust.parse(dump(document), name="t")
    one, two = (
        StoredFile(f"{n}.sigstore.json", sign_input(n.encode(), name="t", role=InputRole.TEST, signer=curator, now=NOW))
        for n in ("one", "two")
    )
    text = text_with("test", "{signers: [curator]}")
    failed, passed = on_data(b"one", 20, 150), on_data(b"two", 150, 10)
    assert decide(scene, passed, failed, text=text, trust=trust, more=(one, two)).result is VerdictResult.FAILED
    assert decide(scene, passed, failed, text=text, trust=trust, more=(two,)).result is not VerdictResult.PASSED
