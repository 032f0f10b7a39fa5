from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from tests.admission.builders import MANIFEST, MODEL, OTHER, Verdicts, policy_text
from tests.builders import trust_bytes
from weighbridge import _yaml
from weighbridge.admission.objects import (
    ModelVerdict,
    policy_of,
    read_model_verdicts,
    trust_of,
    verdict_of,
)
from weighbridge.admission.verdicts import MAX_VERDICT_BYTES, VerdictIndex, read_verdict
from weighbridge.errors import ParseError, PolicyError

SIGNED = Verdicts()
BUNDLE = SIGNED.sign()


def as_the_api_server_gives_it(value: dict[str, Any]) -> dict[str, Any]:
    added = {"uid": "u", "resourceVersion": "1", "annotations": {"a": "b"}, "managedFields": [{"manager": "kubectl"}]}
    return {**value, "metadata": {**value["metadata"], **added}, "status": {"conditions": []}}


def test_a_verdict_is_an_object_named_after_model_and_bundle() -> None:
    value = ModelVerdict.of(BUNDLE)
    assert value.metadata.name == f"sha256-{'a' * 40}-{hashlib.sha256(BUNDLE).hexdigest()[:8]}"
    assert json.loads(value.spec.bundle) == json.loads(BUNDLE)


def test_a_verdict_comes_back_from_the_cluster_and_from_a_file_byte_by_byte() -> None:
    value = ModelVerdict.of(BUNDLE)
    plain = json.loads(value.encode())
    assert verdict_of(as_the_api_server_gives_it(plain)) == (value.metadata.name, BUNDLE)
    other = ModelVerdict.of(SIGNED.sign(manifests=(OTHER,)))
    text = value.encode() + b"---\n" + other.encode()
    assert [name for name, _ in read_model_verdicts(text, name="f")] == [value.metadata.name, other.metadata.name]
    assert read_model_verdicts(text, name="f")[0][1] == BUNDLE


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", BUNDLE[:-1], BUNDLE + b" " * MAX_VERDICT_BYTES])
def test_refuses_to_make_an_object_of_what_is_no_verdict(data: bytes) -> None:
    with pytest.raises(ParseError):
        ModelVerdict.of(data)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "ModelPolicy"},
        {"apiVersion": "weighbridge.dev/v2"},
        {"spec": {}},
        {"spec": {"bundle": 1}},
        {"spec": {"bundle": "{}", "more": 1}},
        {"more": 1},
    ],
)
def test_refuses_an_object_that_is_no_verdict(change: dict[str, Any]) -> None:
    with pytest.raises(ParseError):
        verdict_of({**json.loads(ModelVerdict.of(BUNDLE).encode()), **change})


@pytest.mark.parametrize("text", [b"", b"---\n", b"kind: Pod\n"])
def test_refuses_a_file_without_verdicts(text: bytes) -> None:
    with pytest.raises(ParseError):
        read_model_verdicts(text, name="f")


def test_policy_and_trust_come_back_from_the_cluster() -> None:
    plain = _yaml.load(policy_text().encode(), name="p").value
    assert isinstance(plain, dict)
    found = policy_of(as_the_api_server_gives_it(plain))
    assert (found.name, found.default, len(found.requirements)) == ("production", True, 4)
    document = _yaml.load(trust_bytes(SIGNED.keys), name="t").value
    assert isinstance(document, dict)
    assert trust_of(as_the_api_server_gives_it(document)).keys == SIGNED.trust.keys
    with pytest.raises(ParseError, match="expected ModelTrust"):
        trust_of(plain)
    with pytest.raises(PolicyError, match="requires nothing"):
        policy_of({**plain, "spec": {"requirements": []}})


def test_an_index_finds_verdicts_by_the_manifest_of_their_image() -> None:
    index = VerdictIndex.of([("a", BUNDLE), ("b", SIGNED.sign(manifests=(OTHER,)))])
    assert [stored.name for stored in index.about(MANIFEST)] == ["a"]
    assert index.about(MANIFEST)[0].model == MODEL
    assert index.about("0" * 64) == ()


def test_an_index_follows_what_is_put_and_dropped_and_never_changes_itself() -> None:
    empty = VerdictIndex()
    first = empty.put("a", BUNDLE)
    assert first.put("a", BUNDLE) is first
    second = first.put("a", SIGNED.sign(manifests=(OTHER,)))
    assert [len(index.about(MANIFEST)) for index in (empty, first, second)] == [0, 1, 0]
    broken = second.put("a", b"{}")
    assert broken.about(OTHER) == ()
    assert list(broken.unreadable) == ["a"]
    assert broken.put("a", BUNDLE).unreadable == {}
    assert broken.drop("a") == empty
    assert empty.drop("a") is empty


def test_a_bundle_about_two_models_is_about_none() -> None:
    from weighbridge.evidence.bundle import write_bundle
    from weighbridge.evidence.statement import Statement, Subject
    from weighbridge.gate.summary import VSA

    statement = Statement(
        type="https://in-toto.io/Statement/v1",
        subject=tuple(Subject(digest={"dirHash": letter * 64}) for letter in "ab"),
        predicate_type=VSA,
        predicate={},
    )
    data = write_bundle(statement.encode(), signer=SIGNED.keys["verifier"])
    with pytest.raises(ParseError, match="about 2 models"):
        read_verdict("v", data)
