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

from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from weighbridge.errors import KeyFileError
from weighbridge.evidence.ed25519_point import fault_of
from weighbridge.evidence.key_file import SealedKey, seal, too_little_memory

MAX_KEY_BYTES: Final = 64 * 1024
"""Largest key file that is read."""

MIN_PASSPHRASE: Final = 8
"""Shortest passphrase that a new private key is encrypted with."""

MAX_PASSPHRASE: Final = 1023
"""Longest passphrase that OpenSSL takes."""


MIN_RSA_BITS: Final = 2048
"""Fewest bits that an RSA key would have to have (NIST SP 800-131A)."""

MIN_RSA_EXPONENT: Final = 65537
"""Least public exponent that an RSA key would have to have (FIPS 186-5, section 5.1)."""


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
        """Read a PEM SubjectPublicKeyInfo of Ed25519 or P-256; every public key comes in here.

        A key that proves nothing is refused: for Ed25519 whatever is not a point of prime order in its one encoding
        (``ed25519_point``); for P-256, whose points all have prime order, the library asks that the point is on the
        curve.

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
            if fault := fault_of(key.public_bytes_raw()):
                raise KeyFileError(
                    f"{what} is an Ed25519 key that proves nothing: {fault}",
                    remedy="ask whoever gave it to you for another key; one that was made honestly is never like this",
                )
            return cls._of(key, KeyAlgorithm.ED25519)
        if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
            return cls._of(key, KeyAlgorithm.ECDSA_P256)
        raise _another_kind(what, key)

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
        """Decrypt a PEM PKCS #8 key, when that takes no more than ``key_file`` allows.

        Raises:
            KeyFileError: For a wrong passphrase, a key that is not encrypted, or another kind of key.
        """
        sealed = SealedKey.read(pem, what=what)
        try:
            key = serialization.load_der_private_key(sealed.der, password=passphrase)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise KeyFileError(
                f"{what} cannot be decrypted: the passphrase is wrong, or it is not a private key",
                remedy="check --passphrase-file, WEIGHBRIDGE_PASSPHRASE_ROLE and WEIGHBRIDGE_PASSPHRASE, in this order",
            ) from None
        except MemoryError:
            raise too_little_memory(what) from None
        except InternalError:
            # What OpenSSL refuses by itself: limits of its own, or of how it was built (FIPS).
            raise KeyFileError(
                f"{what} cannot be opened here: OpenSSL refuses to derive its key ({sealed.derivation.text})",
                remedy="do not use this file unless you made it; `weighbridge keys new` makes another key",
            ) from None
        if isinstance(key, ed25519.Ed25519PrivateKey):
            return cls._of(key)
        if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
            return cls._of(key)
        raise _another_kind(what, key.public_key())

    @classmethod
    def _of(cls, key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> PrivateKey:
        pem = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        return cls(PublicKey.parse(pem.decode(), what="the public half"), key)

    def encrypted(self, passphrase: bytes) -> bytes:
        """Write the key as PEM PKCS #8, encrypted as ``key_file`` says.

        Raises:
            KeyFileError: When the passphrase has fewer than ``MIN_PASSPHRASE`` or more than ``MAX_PASSPHRASE`` bytes.
        """
        require_length(passphrase)
        clear = self._key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return seal(clear, passphrase)

    def sign(self, message: bytes, /) -> bytes:
        """Return the signature over the message; ECDSA with SHA-256 in ASN.1 DER."""
        if isinstance(self._key, ed25519.Ed25519PrivateKey):
            return self._key.sign(message)
        return self._key.sign(message, ec.ECDSA(hashes.SHA256()))


def require_length(passphrase: bytes) -> None:
    """Return when a new private key may be encrypted with the passphrase.

    Raises:
        KeyFileError: When it has fewer than ``MIN_PASSPHRASE`` or more than ``MAX_PASSPHRASE`` bytes.
    """
    if not MIN_PASSPHRASE <= len(passphrase) <= MAX_PASSPHRASE:
        raise KeyFileError(
            f"the passphrase has {len(passphrase)} bytes",
            remedy=f"choose one of {MIN_PASSPHRASE} to {MAX_PASSPHRASE} bytes",
        )


def _another_kind(what: str, key: object) -> KeyFileError:
    kind = "a key of another kind"
    if isinstance(key, rsa.RSAPublicKey):
        bits, exponent = key.key_size, key.public_numbers().e
        kind = f"a key of another kind, RSA of {bits} bits with exponent {exponent}"
        # No RSA key is accepted. Should one ever be, the floor stands here and has a test.
        if bits < MIN_RSA_BITS or exponent < MIN_RSA_EXPONENT:
            kind += f", and too weak for any use: at least {MIN_RSA_BITS} bits and exponent {MIN_RSA_EXPONENT}"
    return KeyFileError(f"{what} is {kind}; expected Ed25519 or ECDSA P-256")
