"""Public keys that verify, private keys that sign, and the files they are kept in.

A key's id is its SSH fingerprint, ``SHA256:`` and the unpadded base64 of the hash of the SSH public key: the one
form of ``keyid`` that cosign accepts from others.
"""

from __future__ import annotations

import base64
import enum
import hashlib
from dataclasses import dataclass, field
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from weighbridge.errors import KeyFileError

MAX_KEY_BYTES: Final = 64 * 1024
"""Largest key file that is read."""

MIN_PASSPHRASE: Final = 8
"""Shortest passphrase that a new private key is encrypted with."""

MAX_PASSPHRASE: Final = 1023
"""Longest passphrase that OpenSSL takes."""


class KeyAlgorithm(enum.StrEnum):
    """The signature algorithms. Both are read by cosign."""

    ED25519 = "ed25519"
    ECDSA_P256 = "ecdsa-p256"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that verifies signatures. Two are equal when their PEM is."""

    pem: str
    id: str
    algorithm: KeyAlgorithm
    _key: ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey = field(repr=False, compare=False)

    @classmethod
    def parse(cls, pem: str, *, what: str) -> PublicKey:
        """Read a PEM SubjectPublicKeyInfo of Ed25519 or P-256.

        Raises:
            KeyFileError: For anything else.
        """
        try:
            key = serialization.load_pem_public_key(pem.encode())
        except (ValueError, UnsupportedAlgorithm):
            raise KeyFileError(
                f"{what} is not a PEM public key", remedy="give the .pub file that `weighbridge keys new` wrote"
            ) from None
        if isinstance(key, ed25519.Ed25519PublicKey):
            return cls._of(key, KeyAlgorithm.ED25519)
        if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
            return cls._of(key, KeyAlgorithm.ECDSA_P256)
        raise KeyFileError(f"{what} is a key of another kind; expected Ed25519 or ECDSA P-256")

    @classmethod
    def _of(cls, key: ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey, algorithm: KeyAlgorithm) -> PublicKey:
        pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
        ssh = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        fingerprint = hashlib.sha256(base64.b64decode(ssh.split()[1])).digest()
        return cls(pem, "SHA256:" + base64.b64encode(fingerprint).decode().rstrip("="), algorithm, key)

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Tell whether the signature over the message was made with this key's private half."""
        try:
            if isinstance(self._key, ed25519.Ed25519PublicKey):
                self._key.verify(signature, message)
            else:
                self._key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True


class Signer(Protocol):
    """Something that can sign: a key file here, a token or a cloud key elsewhere."""

    @property
    def public(self) -> PublicKey:
        """Return the public half."""

    def sign(self, message: bytes, /) -> bytes:
        """Return the signature over the message."""


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A private key in memory. Its representation shows the id only."""

    public: PublicKey
    _key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey = field(repr=False, compare=False)

    @classmethod
    def generate(cls, algorithm: KeyAlgorithm) -> PrivateKey:
        """Make a new key from the operating system's randomness."""
        if algorithm is KeyAlgorithm.ED25519:
            return cls._of(ed25519.Ed25519PrivateKey.generate())
        return cls._of(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def parse(cls, pem: bytes, *, passphrase: bytes, what: str) -> PrivateKey:
        """Decrypt a PEM PKCS #8 key.

        Raises:
            KeyFileError: For a wrong passphrase, a key that is not encrypted, or another kind of key.
        """
        try:
            key = serialization.load_pem_private_key(pem, password=passphrase)
        except TypeError:
            raise KeyFileError(
                f"{what} is not encrypted", remedy="make a new key with `weighbridge keys new` and retire this one"
            ) from None
        except (ValueError, UnsupportedAlgorithm):
            raise KeyFileError(
                f"{what} cannot be decrypted: the passphrase is wrong, or it is not a private key",
                remedy="check WEIGHBRIDGE_PASSPHRASE or --passphrase-file",
            ) from None
        if isinstance(key, ed25519.Ed25519PrivateKey):
            return cls._of(key)
        if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
            return cls._of(key)
        raise KeyFileError(f"{what} is a key of another kind; expected Ed25519 or ECDSA P-256")

    @classmethod
    def _of(cls, key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> PrivateKey:
        pem = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        return cls(PublicKey.parse(pem.decode(), what="the public half"), key)

    def encrypted(self, passphrase: bytes) -> bytes:
        """Write the key as encrypted PEM PKCS #8.

        Raises:
            KeyFileError: When the passphrase has fewer than ``MIN_PASSPHRASE`` or more than ``MAX_PASSPHRASE`` bytes.
        """
        if not MIN_PASSPHRASE <= len(passphrase) <= MAX_PASSPHRASE:
            raise KeyFileError(
                f"the passphrase has {len(passphrase)} bytes",
                remedy=f"choose one of {MIN_PASSPHRASE} to {MAX_PASSPHRASE} bytes",
            )
        return self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(passphrase),
        )

    def sign(self, message: bytes, /) -> bytes:
        """Return the signature over the message; ECDSA with SHA-256 in ASN.1 DER."""
        if isinstance(self._key, ed25519.Ed25519PrivateKey):
            return self._key.sign(message)
        return self._key.sign(message, ec.ECDSA(hashes.SHA256()))
