"""A statistic that is asked again until it passes: each way, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from tests.builders import MODEL_DIGEST, NOW, POLICY, SUM, Scene, make_record, measurements_of, seed_of, trust_bytes
from weighbridge._binomial import lower_bound
from weighbridge.errors import UsageError
from weighbridge.evidence.keys import KeyAlgorithm, PrivateKey
from weighbridge.evidence.measurements import Input, InputRole, LeakageMeasurements, RobustnessMeasurements, inputs_of
from weighbridge.evidence.record import CheckName, CheckRecord, ExaminedFile, Seed, SeedSource, Undecided
from weighbridge.evidence.seeds import seed_from_digests, seed_of_platform
from weighbridge.evidence.store import StoredFile
from weighbridge.evidence.tries import sign_reset, tries_in
from weighbridge.gate.decision import Decision, VerdictResult
from weighbridge.gate.judge import judge
from weighbridge.gate.statistics import tightened
from weighbridge.model.digest import Digest, combine
from weighbridge.policy import Policy
from weighbridge.trust import Trust
from weighbridge.trust.edit import add_key, dump, parse_document

ROBUSTNESS, LEAKAGE = CheckName.ROBUSTNESS, CheckName.LEAKAGE
ENOUGH = next(count for count in range(200) if lower_bound(count, 200, confidence=0.95) >= 0.60)
"""How many of 200 examples must stand so that the exact bound at 95 % is at least 0.60."""


def robustness(survived: int, *, digest: Digest = MODEL_DIGEST, minutes: int = 60, **changes: Any) -> CheckRecord:
    """Return a record of so many examples standing, measured so many minutes ago on a model."""
    measured = measurements_of(ROBUSTNESS)
    assert isinstance(measured, RobustnessMeasurements)
    (entry,) = measured.entries
    seed = seed_of(ROBUSTNESS, measured.data, model=digest)
    measured = msgspec.structs.replace(
        measured,
        entries=(msgspec.structs.replace(entry, survived=survived),),
        **{"seed": seed.value, **changes},
    )
    record = make_record(ROBUSTNESS, measurements=measured, finished=NOW - timedelta(minutes=minutes))
    return msgspec.structs.replace(record, seed=seed, nonce=f"{minutes:032x}")


def of_other_model(number: int, survived: int, *, minutes: int) -> tuple[CheckRecord, Digest]:
    """Return a record about a model that differs in one byte of a README."""
    file = ExaminedFile(path="README.md", size=1, sha256=f"{number:064x}")
    digest = combine([(file.path, file.sha256)])
    return msgspec.structs.replace(robustness(survived, digest=digest, minutes=minutes), files=(file,)), digest


def decide(
    scene: Scene,
    record: CheckRecord,
    *earlier: CheckRecord | tuple[CheckRecord, Digest],
    text: str = POLICY,
    trust: Trust | None = None,
    more: tuple[StoredFile, ...] = (),
) -> Decision:
    scene.records[record.check] = record
    files = scene.files()
    for number, item in enumerate(earlier):
        old, digest = item if isinstance(item, tuple) else (item, scene.digest)
        files.append(StoredFile(f"earlier-{number}.sigstore.json", scene.sign(old, digest=digest)))
    policy = Policy.parse(text.encode(), name="policy.yaml")
    return judge(scene.digest, policy=policy, trust=trust or scene.trust, files=[*files, *more], now=NOW)


Try = tuple[CheckRecord, Digest]


def statements_of(scene: Scene, tries: Sequence[Try]) -> frozenset[str]:
    """Return what names this evidence in a reset."""
    files = [StoredFile("try", scene.sign(record, digest=digest)) for record, digest in tries]
    return tries_in(files, check=ROBUSTNESS)


def outcome_of(decision: Decision, check: CheckName = ROBUSTNESS) -> tuple[VerdictResult, str]:
    (found,) = [item for item in decision.outcomes if item.check is check]
    return found.result, "; ".join((found.reason, *found.notes))


def test_a_good_statistic_passes_and_says_that_tries_are_not_known(scene: Scene) -> None:
    result, words = outcome_of(decide(scene, robustness(160)))
    assert result is VerdictResult.PASSED
    assert "how often it was tried before is not known" in words


def test_a_failing_result_stands_though_a_newer_one_passes(scene: Scene) -> None:
    result, words = outcome_of(decide(scene, robustness(160), robustness(20, minutes=120)))
    assert result is VerdictResult.FAILED
    assert "another result of the same model stands" in words


def test_a_failing_result_stands_however_old_it_is(scene: Scene) -> None:
    assert outcome_of(decide(scene, robustness(160), robustness(20, minutes=60 * 24 * 300)))[0] is VerdictResult.FAILED


def test_a_failing_result_that_would_not_count_does_not_stand(scene: Scene) -> None:
    stranger = msgspec.structs.replace(robustness(20, minutes=120), files=())
    assert outcome_of(decide(scene, robustness(160), stranger))[0] is VerdictResult.PASSED
    measured = measurements_of(ROBUSTNESS)
    assert isinstance(measured, RobustnessMeasurements)
    other = msgspec.structs.replace(measured.data, sha256="f" * 64)
    seed = seed_of(ROBUSTNESS, other)
    elsewhere = msgspec.structs.replace(robustness(20, minutes=120, data=other, seed=seed.value), seed=seed)
    assert outcome_of(decide(scene, robustness(160), elsewhere))[0] is VerdictResult.PASSED


def test_facts_are_asked_again(scene: Scene) -> None:
    old = make_record(
        CheckName.MODEL_SCAN,
        finished=NOW - timedelta(hours=9),
        undecided=(Undecided(location="a.bin", reason="unknown format"),),
    )
    assert decide(scene, robustness(160), old).result is VerdictResult.PASSED


@pytest.mark.parametrize("source", list(SeedSource))
def test_a_seed_that_its_asker_could_choose_does_not_count(scene: Scene, source: SeedSource) -> None:
    record = robustness(160)
    assert record.seed is not None
    chosen = msgspec.structs.replace(record, seed=Seed(value=record.seed.value, source=source))
    result, words = outcome_of(decide(scene, chosen))
    expected = {
        SeedSource.DIGESTS: (VerdictResult.PASSED, ""),
        SeedSource.ASKER: (VerdictResult.UNDECIDED, "whoever asked chose the seed"),
        SeedSource.PLATFORM: (VerdictResult.UNDECIDED, "only the platform can say"),
    }[source]
    assert result is expected[0]
    assert expected[1] in words


def test_a_chosen_seed_that_is_called_the_digests_own_is_found_out(scene: Scene) -> None:
    lied = robustness(160, seed=7)
    lied = msgspec.structs.replace(lied, seed=Seed(value=7, source=SeedSource.DIGESTS))
    result, words = outcome_of(decide(scene, lied))
    assert result is VerdictResult.UNDECIDED
    assert "the seed 7 is not the one of this model and these inputs" in words


def test_a_record_that_says_another_seed_than_was_measured_with_does_not_count(scene: Scene) -> None:
    result, words = outcome_of(decide(scene, robustness(160, seed=7)))
    assert result is VerdictResult.UNDECIDED
    assert "was measured with the seed 7" in words


def test_a_statistic_without_a_word_about_its_seed_does_not_count(scene: Scene) -> None:
    result, words = outcome_of(decide(scene, msgspec.structs.replace(robustness(160), seed=None)))
    assert result is VerdictResult.UNDECIDED
    assert "does not say where its seed comes from" in words


def held_by_platform(scene: Scene) -> Trust:
    document = parse_document(trust_bytes(scene.keys), name="trust.yaml")
    roles = tuple(msgspec.structs.replace(role, held_by="platform") for role in document.spec.roles)
    document = msgspec.structs.replace(document, spec=msgspec.structs.replace(document.spec, roles=roles))
    return Trust.parse(dump(document), name="trust.yaml")


def test_a_policy_can_ask_for_seeds_of_the_platform(scene: Scene) -> None:
    text = POLICY.replace("    - check: robustness\n", "    - check: robustness\n      seed: platform\n")
    result, words = outcome_of(decide(scene, robustness(160), text=text))
    assert result is VerdictResult.UNDECIDED
    assert "the policy asks for one of the platform" in words
    measured = measurements_of(ROBUSTNESS)
    seed = seed_of_platform(ROBUSTNESS, model=MODEL_DIGEST, inputs=inputs_of(measured), secret=b"s" * 32)
    record = msgspec.structs.replace(robustness(160, seed=seed.value), seed=seed)
    assert outcome_of(decide(scene, record, text=text, trust=held_by_platform(scene)))[0] is VerdictResult.PASSED


def test_seeds_follow_from_everything_that_they_are_about() -> None:
    data = Input(name="t", sha256=SUM, rows=1, role=InputRole.TEST)
    other = msgspec.structs.replace(data, sha256="1" * 64)
    seeds = {
        seed_from_digests(ROBUSTNESS, model=MODEL_DIGEST, inputs=[data]).value,
        seed_from_digests(LEAKAGE, model=MODEL_DIGEST, inputs=[data]).value,
        seed_from_digests(ROBUSTNESS, model=Digest("1" * 64), inputs=[data]).value,
        seed_from_digests(ROBUSTNESS, model=MODEL_DIGEST, inputs=[other]).value,
        seed_from_digests(ROBUSTNESS, model=MODEL_DIGEST, inputs=[data, other]).value,
        seed_of_platform(ROBUSTNESS, model=MODEL_DIGEST, inputs=[data], secret=b"a" * 32).value,
        seed_of_platform(ROBUSTNESS, model=MODEL_DIGEST, inputs=[data], secret=b"b" * 32).value,
    }
    assert len(seeds) == 7
    with pytest.raises(UsageError, match="at least 32"):
        seed_of_platform(ROBUSTNESS, model=MODEL_DIGEST, inputs=[data], secret=b"short")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"queries_per_example": 10}, "had 10 queries an example; the policy says 1000"),
        ({"queries_per_example": 2000}, "had 2000 queries an example"),
        ({"examples": 199}, "199 examples were attacked; the policy says 200"),
        ({"examples": 201}, "201 examples were attacked"),
    ],
)
def test_how_much_is_measured_is_not_the_askers_to_say(scene: Scene, changes: dict[str, int], words: str) -> None:
    record = robustness(160)
    measured = record.measurements
    assert isinstance(measured, RobustnessMeasurements)
    if "examples" in changes:
        entry = msgspec.structs.replace(measured.entries[0], examples=changes["examples"])
        measured = msgspec.structs.replace(measured, entries=(entry,))
    else:
        measured = msgspec.structs.replace(measured, **changes)
    result, found = outcome_of(decide(scene, msgspec.structs.replace(record, measurements=measured)))
    assert result is VerdictResult.UNDECIDED
    assert words in found


# --- tries ----------------------------------------------------------------------------------------------------------


def test_the_confidence_tightens_with_each_try_and_all_tries_together_stay_bounded() -> None:
    spent = [1 - tightened(0.95, tries=tries) for tries in range(10_000)]
    assert spent[0] == pytest.approx(0.05)
    assert all(later <= earlier for earlier, later in pairwise(spent))
    assert spent[1] == pytest.approx(0.025)
    assert sum(spent[1:]) < 0.05 + 1e-9


def test_tries_on_other_models_that_did_not_pass_cost_confidence(scene: Scene) -> None:
    assert outcome_of(decide(scene, robustness(ENOUGH)))[0] is VerdictResult.PASSED
    assert outcome_of(decide(scene, robustness(ENOUGH - 1)))[0] is VerdictResult.FAILED
    tries = [of_other_model(number, 20, minutes=100 + number) for number in range(3)]
    result, words = outcome_of(decide(scene, robustness(ENOUGH), *tries))
    assert result is VerdictResult.FAILED
    assert "3 earlier tries that did not pass were seen here" in words
    assert outcome_of(decide(scene, robustness(150), *tries))[0] is VerdictResult.PASSED


def test_tries_that_passed_and_repetitions_cost_nothing(scene: Scene) -> None:
    passed = [of_other_model(number, 190, minutes=100 + number) for number in range(5)]
    _, words = outcome_of(decide(scene, robustness(ENOUGH), *passed))
    assert "earlier tries" not in words
    repeated = [of_other_model(1, 20, minutes=100 + number) for number in range(5)]
    _, words = outcome_of(decide(scene, robustness(150), *repeated))
    assert "1 earlier tries" in words


def test_tries_after_this_one_do_not_count_against_it(scene: Scene) -> None:
    later = of_other_model(1, 20, minutes=10)
    assert "earlier tries" not in outcome_of(decide(scene, robustness(ENOUGH), later))[1]


def test_the_policy_ends_tries_until_an_approver_resets(scene: Scene) -> None:
    text = POLICY.replace("    - check: robustness\n", "    - check: robustness\n      maxTries: 2\n")
    tries = [of_other_model(number, 20, minutes=100 + number) for number in range(2)]
    result, words = outcome_of(decide(scene, robustness(190), *tries, text=text))
    assert result is VerdictResult.UNDECIDED
    assert "2 tries before this one did not pass; the policy ends them at 2" in words
    approver = PrivateKey.generate(KeyAlgorithm.ED25519)
    document = add_key(
        parse_document(trust_bytes(scene.keys), name="trust.yaml"),
        role="approver",
        signs=("tries-reset",),
        key=approver.public,
        not_after=None,
    )
    trust = Trust.parse(dump(document), name="trust.yaml")

    def reset(
        key: PrivateKey, *, check: CheckName = ROBUSTNESS, minutes: int = 90, of: Sequence[Try] = tries
    ) -> StoredFile:
        at, forgiven = NOW - timedelta(minutes=minutes), statements_of(scene, of)
        data = sign_reset(check, evidence=forgiven, reason="looked at it", signer=key, now=at)
        return StoredFile("reset.sigstore.json", data)

    for useless in (
        reset(scene.keys["tester"]),
        reset(PrivateKey.generate(KeyAlgorithm.ED25519)),
        reset(approver, check=LEAKAGE),
        reset(approver, of=tries[:1]),
        # Of another store: it forgives what is there, wherever it is copied to.
        reset(approver, of=[of_other_model(7, 20, minutes=100)]),
        reset(approver, minutes=-60),
    ):
        found = decide(scene, robustness(190), *tries, text=text, trust=trust, more=(useless,))
        assert outcome_of(found)[0] is not VerdictResult.PASSED or "1 earlier" in outcome_of(found)[1]
    found = decide(scene, robustness(190), *tries, text=text, trust=trust, more=(reset(approver),))
    result, words = outcome_of(found)
    assert result is VerdictResult.PASSED
    assert "earlier tries" not in words


def test_a_reset_forgives_no_failing_result_of_the_same_model(scene: Scene) -> None:
    approver = PrivateKey.generate(KeyAlgorithm.ED25519)
    document = add_key(
        parse_document(trust_bytes(scene.keys), name="trust.yaml"),
        role="approver",
        signs=("tries-reset",),
        key=approver.public,
        not_after=None,
    )
    failed = robustness(20, minutes=120)
    forgiven = statements_of(scene, [(failed, scene.digest)])
    data = sign_reset(ROBUSTNESS, evidence=forgiven, reason="r", signer=approver, now=NOW)
    trust = Trust.parse(dump(document), name="trust.yaml")
    found = decide(scene, robustness(160), failed, trust=trust, more=(StoredFile("r.sigstore.json", data),))
    assert outcome_of(found)[0] is VerdictResult.FAILED


def test_the_platforms_count_of_tries_counts_and_nobody_elses(scene: Scene) -> None:
    record = msgspec.structs.replace(robustness(ENOUGH), tries=4)
    assert outcome_of(decide(scene, record))[0] is VerdictResult.PASSED
    result, words = outcome_of(decide(scene, record, trust=held_by_platform(scene)))
    assert result is VerdictResult.FAILED
    assert "4 earlier tries did not pass" in words


def test_leakage_needs_the_confidence_that_tries_cost_to_have_been_measured(scene: Scene) -> None:
    measured = measurements_of(LEAKAGE)
    assert isinstance(measured, LeakageMeasurements)
    (entry,) = measured.entries
    bad = msgspec.structs.replace(entry, verbatim_training_rows=5)
    file = ExaminedFile(path="README.md", size=1, sha256="1" * 64)
    digest = combine([(file.path, file.sha256)])
    old = make_record(
        LEAKAGE, measurements=msgspec.structs.replace(measured, entries=(bad,)), finished=NOW - timedelta(hours=3)
    )
    old = msgspec.structs.replace(old, files=(file,), seed=seed_of(LEAKAGE, measured.members, model=digest))
    record = make_record(LEAKAGE)
    result, words = outcome_of(decide(scene, record, (old, digest)), LEAKAGE)
    assert result is VerdictResult.UNDECIDED
    assert "0.975 confidence" in words
