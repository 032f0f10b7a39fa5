from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from weighbridge.errors import KeyFileError
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
    assert b"ENCRYPTED" in key.encrypted(PASSPHRASE)
    assert "Ed25519PrivateKey" not in repr(key)
    with pytest.raises(KeyFileError, match="has 5 bytes"):
        key.encrypted(b"short")
    with pytest.raises(KeyFileError, match="cannot be decrypted"):
        PrivateKey.parse(key.encrypted(PASSPHRASE), passphrase=b"wrong horse", what="x")


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
