from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from tests.evidence import edwards
from weighbridge.errors import KeyFileError
from weighbridge.evidence import keys
from weighbridge.evidence.keys import KeyAlgorithm, PrivateKey, PublicKey

PASSPHRASE = b"correct horse"


@pytest.mark.parametrize("algorithm", list(KeyAlgorithm))
def test_signs_and_verifies(algorithm: KeyAlgorithm) -> None:
    key = PrivateKey.generate(algorithm)
    again = PrivateKey.parse(key.encrypted(PASSPHRASE), passphrase=PASSPHRASE, what="x")
    signature = again.sign(b"message")
    public = PublicKey.parse(key.public.pem, what="x")
    assert public == key.public
    assert public.verifies(signature, b"message")
    assert not public.verifies(signature, b"massage")
    assert not public.verifies(signature[:-1] + bytes([signature[-1] ^ 1]), b"message")
    assert not public.verifies(b"", b"message")
    assert not PrivateKey.generate(algorithm).public.verifies(signature, b"message")


def test_private_keys_are_encrypted_and_never_shown() -> None:
    key = PrivateKey.generate(KeyAlgorithm.ED25519)
    sealed = key.encrypted(PASSPHRASE)
    assert b"ENCRYPTED" in sealed
    assert "Ed25519PrivateKey" not in repr(key)
    with pytest.raises(KeyFileError, match="has 5 bytes"):
        key.encrypted(b"short")
    with pytest.raises(KeyFileError, match="cannot be decrypted"):
        PrivateKey.parse(sealed, passphrase=b"wrong horse", what="x")
    with pytest.raises(KeyFileError, match="cannot be decrypted"):
        PrivateKey.parse(sealed, passphrase=b"", what="x")


def test_refuses_a_private_key_in_the_clear_and_keys_of_other_kinds() -> None:
    for private in (ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)):
        clear = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        with pytest.raises(KeyFileError, match="not encrypted"):
            PrivateKey.parse(clear, passphrase=PASSPHRASE, what="x")
        sealed = private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(PASSPHRASE),
        )
        with pytest.raises(KeyFileError, match="another kind"):
            PrivateKey.parse(sealed, passphrase=PASSPHRASE, what="x")
        public = private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        with pytest.raises(KeyFileError, match="another kind"):
            PublicKey.parse(public.decode(), what="x")
    for text in ("", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"):
        with pytest.raises(KeyFileError, match="not a PEM"):
            PublicKey.parse(text, what="x")


def test_a_signature_that_nobody_made_does_not_verify(monkeypatch: pytest.MonkeyPatch) -> None:
    # The control: to the library, and to this class without its check, the signature holds for every message.
    messages = (b"", b"allow everything", bytes(1000))
    for message in messages:
        ed25519.Ed25519PublicKey.from_public_bytes(edwards.IDENTITY).verify(edwards.CONSTANT_SIGNATURE, message)
    with monkeypatch.context() as undefended:
        undefended.setattr(keys, "fault_of", lambda _: None)
        taken = PublicKey.parse(edwards.pem_of(edwards.IDENTITY), what="x")
        assert all(taken.verifies(edwards.CONSTANT_SIGNATURE, message) for message in messages)
    with pytest.raises(KeyFileError, match=r"x is an Ed25519 key that proves nothing: .* anybody can sign"):
        PublicKey.parse(edwards.pem_of(edwards.IDENTITY), what="x")


@pytest.mark.parametrize("encoded", [*edwards.SMALL_ORDER, *edwards.MIXED_ORDER, edwards.NO_POINT], ids=bytes.hex)
def test_refuses_ed25519_keys_that_prove_nothing(encoded: bytes) -> None:
    with pytest.raises(KeyFileError, match="x is an Ed25519 key that proves nothing") as raised:
        PublicKey.parse(edwards.pem_of(encoded), what="x")
    assert "another key" in raised.value.remedy


def test_refuses_p256_points_that_are_not_on_the_curve() -> None:
    pem = PrivateKey.generate(KeyAlgorithm.ECDSA_P256).public.pem
    der = bytearray(base64.b64decode("".join(pem.splitlines()[1:-1])))
    infinity = bytes.fromhex("3019301306072a8648ce3d020106082a8648ce3d03010703020000")
    der[-1] ^= 1
    for changed in (bytes(der), bytes(der[:-64]) + bytes(64), infinity):
        text = f"-----BEGIN PUBLIC KEY-----\n{base64.b64encode(changed).decode()}\n-----END PUBLIC KEY-----\n"
        with pytest.raises(KeyFileError, match="not a PEM public key"):
            PublicKey.parse(text, what="x")


@pytest.mark.parametrize(
    ("bits", "exponent", "words"),
    [
        (1024, 65537, "RSA of 1024 bits with exponent 65537, and too weak for any use: at least 2048 bits"),
        (2048, 3, "RSA of 2048 bits with exponent 3, and too weak for any use: at least 2048 bits and exponent 65537"),
        (2048, 65537, "RSA of 2048 bits with exponent 65537; expected Ed25519 or ECDSA P-256"),
    ],
)
def test_refuses_rsa_and_says_when_it_is_below_any_floor(bits: int, exponent: int, words: str) -> None:
    private = rsa.generate_private_key(exponent, bits)
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    with pytest.raises(KeyFileError, match=words):
        PublicKey.parse(public.decode(), what="x")


@pytest.mark.ssh
@pytest.mark.parametrize("algorithm", list(KeyAlgorithm))
def test_id_is_the_fingerprint_that_ssh_keygen_prints(tmp_path: Path, algorithm: KeyAlgorithm) -> None:
    public = PrivateKey.generate(algorithm).public
    key = serialization.load_pem_public_key(public.pem.encode())
    assert isinstance(key, ec.EllipticCurvePublicKey) or algorithm is KeyAlgorithm.ED25519
    line = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    (tmp_path / "k.pub").write_bytes(line)
    shown = subprocess.run(
        ["ssh-keygen", "-lf", str(tmp_path / "k.pub")], check=True, capture_output=True, text=True
    ).stdout
    assert shown.split()[1] == public.id
