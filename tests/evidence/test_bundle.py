from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.errors import ParseError, VerificationError
from weighbridge.evidence.bundle import read_bundle, write_bundle
from weighbridge.evidence.dsse import (
    PAYLOAD_TYPE,
    decode_base64,
    pre_authentication_encoding,
    sign_envelope,
    verify_envelope,
)
from weighbridge.evidence.keys import KeyAlgorithm, PrivateKey

KEY = PrivateKey.generate(KeyAlgorithm.ED25519)
OTHER = PrivateKey.generate(KeyAlgorithm.ECDSA_P256)


def test_pae_is_the_example_of_the_specification() -> None:
    assert pre_authentication_encoding("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


@given(st.binary(max_size=300))
def test_round_trips_any_payload(payload: bytes) -> None:
    envelope = read_bundle(write_bundle(payload, signer=KEY), what="x")
    assert envelope.content() == payload
    assert verify_envelope(envelope, keys=(OTHER.public, KEY.public)) == KEY.public
    with pytest.raises(VerificationError, match="no trusted key"):
        verify_envelope(envelope, keys=(OTHER.public,))
    with pytest.raises(VerificationError):
        verify_envelope(envelope, keys=())


@given(st.data())
def test_any_flipped_bit_is_refused(data: st.DataObject) -> None:
    whole = bytearray(write_bundle(b'{"a": 1}', signer=KEY))
    position = data.draw(st.integers(0, len(whole) - 1))
    whole[position] ^= 1 << data.draw(st.integers(0, 7))
    original = json.loads(write_bundle(b'{"a": 1}', signer=KEY))["dsseEnvelope"]
    try:
        envelope = read_bundle(bytes(whole), what="x")
        verify_envelope(envelope, keys=(KEY.public,))
    except (ParseError, VerificationError):
        return
    # Only hints may change without harm: what is signed and the signature are as they were.
    assert envelope.payload == original["payload"]
    assert envelope.signatures[0].sig == original["signatures"][0]["sig"]


def test_reads_a_bare_envelope() -> None:
    envelope = sign_envelope(b"{}", signer=KEY)
    line = json.dumps(
        {
            "payload": envelope.payload,
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"sig": envelope.signatures[0].sig}],
        }
    )
    assert verify_envelope(read_bundle(line.encode() + b"\n", what="x"), keys=(KEY.public,)) == KEY.public


def test_does_not_depend_on_the_hints() -> None:
    bundle = json.loads(write_bundle(b"{}", signer=KEY))
    bundle["verificationMaterial"] = {"publicKey": {}, "tlogEntries": []}
    bundle["dsseEnvelope"]["signatures"][0].pop("keyid")
    assert verify_envelope(read_bundle(json.dumps(bundle).encode(), what="x"), keys=(KEY.public,)) == KEY.public


@pytest.mark.parametrize("text", ["QQ", "QQ==\n", "QR==", "Q Q==", "_-==", "QQ=", "é"])
def test_refuses_base64_that_is_not_canonical(text: str) -> None:
    with pytest.raises(ParseError, match="base64"):
        decode_base64(text, what="x")


@pytest.mark.parametrize(
    "change",
    [
        lambda b: b.pop("mediaType"),
        lambda b: b.update(mediaType="application/json"),
        lambda b: b.update(extra=1),
        lambda b: b["dsseEnvelope"].update(extra=1),
        lambda b: b["dsseEnvelope"]["signatures"][0].update(extra=1),
        lambda b: b["verificationMaterial"].update(certificate={}),
        lambda b: b["verificationMaterial"].update(x509CertificateChain={"certificates": []}),
        lambda b: b.pop("dsseEnvelope"),
        lambda b: b.update(messageSignature={}),
    ],
)
def test_refuses_other_bundles(change: Any) -> None:
    bundle = json.loads(write_bundle(b"{}", signer=KEY))
    change(bundle)
    with pytest.raises(ParseError):
        read_bundle(json.dumps(bundle).encode(), what="x")


def test_bundle_has_the_shape_that_cosign_reads() -> None:
    bundle = json.loads(write_bundle(b"{}", signer=KEY))
    assert bundle["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    (signature,) = bundle["dsseEnvelope"]["signatures"]
    assert signature["keyid"] == KEY.public.id == bundle["verificationMaterial"]["publicKey"]["hint"]
    assert base64.b64decode(bundle["dsseEnvelope"]["payload"]) == b"{}"
