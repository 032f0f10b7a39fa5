"""Bundles exchanged with the real cosign, both ways, without a network."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tests.builders import make_model, make_record
from tests.interop.conftest import PREDICATE, Cosign
from weighbridge.errors import ParseError, VerificationError
from weighbridge.evidence.bundle import read_bundle, write_bundle
from weighbridge.evidence.dsse import verify_envelope
from weighbridge.evidence.keys import KeyAlgorithm, PrivateKey, PublicKey
from weighbridge.evidence.predicates import statement_of
from weighbridge.evidence.record import CheckName
from weighbridge.evidence.statement import Statement
from weighbridge.model.digest import Digest, hash_model

pytestmark = pytest.mark.cosign


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_model(tmp_path / "model")


@pytest.fixture(params=list(KeyAlgorithm))
def key(request: pytest.FixtureRequest) -> PrivateKey:
    return PrivateKey.generate(request.param)


def write(directory: Path, *, bundle: bytes, public: PublicKey) -> tuple[Path, Path]:
    bundle_file, key_file = directory / "ours.sigstore.json", directory / "ours.pub"
    bundle_file.write_bytes(bundle)
    key_file.write_text(public.pem)
    return bundle_file, key_file


def ours(model: Path, *, key: PrivateKey, check: CheckName = CheckName.MODEL_SCAN) -> bytes:
    return write_bundle(statement_of(make_record(check), model=hash_model(model), name="model").encode(), signer=key)


@pytest.mark.parametrize("check", list(CheckName))
def test_cosign_accepts_our_evidence_of_every_check(
    tmp_path: Path, cosign: Cosign, model: Path, check: CheckName
) -> None:
    key = PrivateKey.generate(KeyAlgorithm.ED25519)
    statement = statement_of(make_record(check), model=hash_model(model), name="model")
    bundle, public = write(tmp_path, bundle=write_bundle(statement.encode(), signer=key), public=key.public)
    done = cosign.verify(bundle, key=public, model=hash_model(model), predicate=statement.predicate_type)
    assert done.returncode == 0, done.stderr
    assert "Verified OK" in done.stderr


def test_cosign_accepts_both_of_our_key_algorithms(
    tmp_path: Path, cosign: Cosign, model: Path, key: PrivateKey
) -> None:
    bundle, public = write(tmp_path, bundle=ours(model, key=key), public=key.public)
    done = cosign.verify(bundle, key=public, model=hash_model(model))
    assert done.returncode == 0, done.stderr


def test_cosign_refuses_our_bundle_for_another_digest(
    tmp_path: Path, cosign: Cosign, model: Path, key: PrivateKey
) -> None:
    bundle, public = write(tmp_path, bundle=ours(model, key=key), public=key.public)
    done = cosign.verify(bundle, key=public, model=Digest("0" * 64))
    assert done.returncode != 0
    assert "provided artifact digest does not match any digest in statement" in done.stderr


def test_cosign_refuses_our_bundle_under_another_key(
    tmp_path: Path, cosign: Cosign, model: Path, key: PrivateKey
) -> None:
    other = PrivateKey.generate(key.public.algorithm)
    bundle, public = write(tmp_path, bundle=ours(model, key=key), public=other.public)
    assert cosign.verify(bundle, key=public, model=hash_model(model)).returncode != 0


def test_cosign_refuses_our_bundle_as_another_predicate_type(
    tmp_path: Path, cosign: Cosign, model: Path, key: PrivateKey
) -> None:
    bundle, public = write(tmp_path, bundle=ours(model, key=key), public=key.public)
    done = cosign.verify(bundle, key=public, model=hash_model(model), predicate="https://slsa.dev/provenance/v1")
    assert done.returncode != 0


@pytest.mark.parametrize("part", ["payload", "signature"])
def test_cosign_and_we_refuse_a_flipped_bit(
    tmp_path: Path, cosign: Cosign, model: Path, key: PrivateKey, part: str
) -> None:
    document = json.loads(ours(model, key=key))
    envelope = document["dsseEnvelope"]
    holder, name = (envelope, "payload") if part == "payload" else (envelope["signatures"][0], "sig")
    raw = bytearray(base64.b64decode(holder[name]))
    # Inside a string of the payload, so that the statement still parses and only the signature can tell.
    position = raw.index(b'"name":"model"') + len(b'"name":"m') if part == "payload" else len(raw) - 1
    raw[position] ^= 1
    holder[name] = base64.b64encode(raw).decode()
    changed = json.dumps(document).encode()

    bundle, public = write(tmp_path, bundle=changed, public=key.public)
    assert cosign.verify(bundle, key=public, model=hash_model(model)).returncode != 0
    with pytest.raises(VerificationError):
        verify_envelope(read_bundle(changed, what="the bundle"), keys=(key.public,))


def test_we_verify_a_bundle_that_cosign_wrote(tmp_path: Path, cosign: Cosign, model: Path) -> None:
    digest = hash_model(model)
    statement = Statement.about(digest, name="model", predicate_type=PREDICATE, predicate={"result": "PASSED"})
    source, bundle = tmp_path / "statement.json", tmp_path / "theirs.sigstore.json"
    source.write_bytes(statement.encode())
    public = PublicKey.parse(cosign.prepare_signing().read_text(), what="cosign.pub")
    cosign.attest(source, bundle=bundle)

    envelope = read_bundle(bundle.read_bytes(), what="cosign's bundle")

    assert verify_envelope(envelope, keys=(public,)) == public
    theirs = Statement.parse(envelope.content(), what="cosign's statement")
    theirs.require_subject(digest)
    assert theirs == statement
    stranger = PrivateKey.generate(KeyAlgorithm.ECDSA_P256).public
    with pytest.raises(VerificationError):
        verify_envelope(envelope, keys=(stranger,))


def test_we_refuse_the_old_statement_that_cosign_writes_for_a_bare_predicate(tmp_path: Path, cosign: Cosign) -> None:
    blob, predicate, bundle = (tmp_path / name for name in ("m.bin", "predicate.json", "old.sigstore.json"))
    blob.write_bytes(b"weights")
    predicate.write_text('{"result": "PASSED"}')
    cosign.prepare_signing()
    done = cosign.run(
        *("attest-blob", "--yes", "--key", "cosign.key", "--signing-config", "signing.json"),
        *("--trusted-root", "root.json", "--predicate", str(predicate), "--type", PREDICATE),
        *("--bundle", str(bundle), str(blob)),
    )
    assert done.returncode == 0, done.stderr
    envelope = read_bundle(bundle.read_bytes(), what="cosign's bundle")
    with pytest.raises(ParseError, match=r"Statement/v0\.1"):
        Statement.parse(envelope.content(), what="the old statement")
