from __future__ import annotations

import itertools
from datetime import timedelta

import msgspec
import pytest

from tests.builders import NOW, make_keys, trust_bytes
from weighbridge.errors import TrustError, UsageError, VerificationError, WeighbridgeError
from weighbridge.evidence.keys import KeyAlgorithm, PrivateKey
from weighbridge.model.digest import Digest
from weighbridge.trust import Trust, consistency
from weighbridge.trust.edit import add_key, dump, extend, list_policy, new_document, parse_document, retire_key, revoke

KEYS = make_keys()
TEXT = trust_bytes(KEYS).decode()
DOCUMENT = parse_document(TEXT.encode(), name="trust.yaml")


def parse(text: str) -> Trust:
    return Trust.parse(text.encode(), name="trust.yaml")


def test_every_change_is_the_next_version() -> None:
    key = PrivateKey.generate(KeyAlgorithm.ECDSA_P256).public
    changes = (
        add_key(DOCUMENT, role="scanner", signs=(), key=key, not_after=NOW),
        add_key(DOCUMENT, role="other", signs=("leakage",), key=key, not_after=None),
        retire_key(DOCUMENT, key_id=KEYS["tester"].public.id, at=NOW),
        revoke(DOCUMENT, item="dirHash:" + "0" * 64, reason="r"),
        revoke(DOCUMENT, item="sha256:" + "0" * 64, reason="r"),
        revoke(DOCUMENT, item=KEYS["tester"].public.id, reason="r"),
        extend(DOCUMENT, expires=NOW),
        list_policy(DOCUMENT, name="production", digest="0" * 64),
    )
    for changed in changes:
        assert changed.spec.version == DOCUMENT.spec.version + 1
        assert parse_document(dump(changed), name="x") == changed


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("version: 1", "version: 0", "trust.yaml:"),
        ("version: 1", "version: '1'", "trust.yaml:"),
        ("expires: '2027", "expires: 'soon 2027", "expires is"),
        ("- model-scan", "- magic", "trust.yaml:"),
        ("name: scanner", "name: tester", "appears twice"),
        ("- model-scan", "- model-scan\n    - verdict", "evidence and verdicts"),
        ("- model-scan", "- model-scan\n    - input:test", "evidence and inputs"),
        ("- model-scan", "- model-scan\n    - tries-reset", "evidence and resets of tries"),
        ("- verdict", "- verdict\n    - input:lock", "inputs and verdicts"),
        ("BEGIN PUBLIC", "BEGIN PRIVATE", "is not a PEM public key"),
        ("    - publicKey: |", "    - notAfter: ''\n      publicKey: |", "notAfter is ''"),
        ("    - publicKey: |", "    - notBefore: ''\n      publicKey: |", "notBefore is ''"),
        ("kind: ModelTrust", "kind: ModelPolicy", "trust.yaml:2:"),
        ("  version: 1", "  version: 1\n  extra: 1", "unknown field `extra`"),
    ],
)
def test_refuses_a_document_that_is_not_what_it_must_be(old: str, new: str, words: str) -> None:
    assert old in TEXT
    with pytest.raises(WeighbridgeError) as caught:
        parse(TEXT.replace(old, new, 1))
    assert words in str(caught.value)


def test_a_key_may_sign_what_its_role_signs_and_nothing_else() -> None:
    trust = parse(TEXT)
    scanner = KEYS["scanner"].public
    assert trust.role_of(scanner, signs="model-scan", now=NOW).role == "scanner"
    for other in ("robustness", "leakage", "dependency-audit", "verdict"):
        with pytest.raises(VerificationError, match="may not sign"):
            trust.role_of(scanner, signs=other, now=NOW)


def test_a_key_counts_within_its_validity_only() -> None:
    key = PrivateKey.generate(KeyAlgorithm.ED25519).public
    document = add_key(DOCUMENT, role="scanner", signs=(), key=key, not_after=NOW)
    trust = Trust.parse(dump(document), name="x")
    assert trust.role_of(key, signs="model-scan", now=NOW).not_after == NOW
    with pytest.raises(VerificationError, match="outside its validity"):
        trust.role_of(key, signs="model-scan", now=NOW + timedelta(seconds=1))
    early = TEXT.replace("    - publicKey: |", "    - notBefore: 2027-01-01\n      publicKey: |")
    with pytest.raises(VerificationError, match="outside its validity"):
        parse(early).role_of(KEYS["scanner"].public, signs="model-scan", now=NOW)


def test_revoked_counts_even_when_listed() -> None:
    trust = Trust.parse(dump(revoke(DOCUMENT, item=KEYS["scanner"].public.id, reason="leak")), name="x")
    with pytest.raises(VerificationError, match="revoked: leak"):
        trust.role_of(KEYS["scanner"].public, signs="model-scan", now=NOW)
    model = Digest("a" * 64)
    trust = Trust.parse(dump(revoke(DOCUMENT, item=str(model), reason="bad")), name="x")
    with pytest.raises(VerificationError, match="revoked: bad"):
        trust.require_model(model)
    trust.require_model(Digest("b" * 64))


@pytest.mark.parametrize(
    ("kind", "item"),
    [
        ("keys", KEYS["scanner"].public.id + "="),
        ("keys", KEYS["scanner"].public.id.lower()),
        ("keys", KEYS["scanner"].public.id.removeprefix("SHA256:")),
        ("models", "dirHash:" + "A" * 64),
        ("models", "a" * 64),
        ("models", "sha256:" + "a" * 64),
        ("policies", "sha256:" + "A" * 64),
        ("policies", "sha256:" + "a" * 63),
        ("policies", "sha256:" + "a" * 64 + "\\n"),
        ("policies", "a" * 64),
    ],
    ids=itertools.count(),  # the keys are new in every process, and test workers must agree on the names of tests
)
def test_refuses_a_revocation_that_would_revoke_nothing(kind: str, item: str) -> None:
    entry = f'  revoked:\n    {kind}:\n    - {{id: "{item}", reason: leak}}\n'
    with pytest.raises(TrustError, match="nothing is ever called that"):
        parse(TEXT + entry)


def test_refuses_too_many_keys_over_all_roles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consistency, "MAX_KEYS", len(KEYS) - 1)
    with pytest.raises(TrustError, match="at most 3"):
        parse(TEXT)


def test_refuses_the_same_key_twice_in_one_role() -> None:
    # The second entry would outlive the first one's notAfter.
    (role,) = [role for role in DOCUMENT.spec.roles if role.name == "scanner"]
    twice = msgspec.structs.replace(
        role, keys=(msgspec.structs.replace(role.keys[0], not_after="2026-01-01"), *role.keys)
    )
    spec = msgspec.structs.replace(DOCUMENT.spec, roles=(twice,))
    with pytest.raises(TrustError, match="twice"):
        dump(msgspec.structs.replace(DOCUMENT, spec=spec))


def test_refuses_changes_that_make_no_sense() -> None:
    key = PrivateKey.generate(KeyAlgorithm.ED25519).public
    with pytest.raises(TrustError, match="already"):
        add_key(DOCUMENT, role="scanner", signs=(), key=KEYS["scanner"].public, not_after=None)
    with pytest.raises(TrustError, match="cannot be added"):
        add_key(DOCUMENT, role="scanner", signs=("leakage",), key=key, not_after=None)
    with pytest.raises(UsageError, match="is new"):
        add_key(DOCUMENT, role="new", signs=(), key=key, not_after=None)
    with pytest.raises(TrustError, match="no role has"):
        retire_key(DOCUMENT, key_id=key.id, at=NOW)
    with pytest.raises(UsageError, match="cannot be revoked"):
        revoke(DOCUMENT, item="something", reason="r")
    with pytest.raises(UsageError, match="usual role"):
        new_document("x", roles={"ghost": key}, expires=NOW)


def test_never_writes_a_document_that_does_not_parse() -> None:
    with pytest.raises(WeighbridgeError):
        dump(revoke(DOCUMENT, item="dirHash:short", reason="r"))


def test_a_newer_policy_takes_the_place_of_the_older_one_of_its_name() -> None:
    first = list_policy(DOCUMENT, name="production", digest="1" * 64)
    second = list_policy(list_policy(first, name="staging", digest="2" * 64), name="production", digest="3" * 64)
    assert [policy.id[-1] for policy in second.spec.policies] == ["2", "3"]
    with pytest.raises(TrustError, match="listed already"):
        list_policy(first, name="production", digest="1" * 64)
