"""The file of a private key: PKCS #8, encrypted under a key that scrypt derives from the passphrase.

The cost is cosign's, so a guess costs as much here as there: 64 MiB and some tenths of a second. ``cryptography``
reads such files (RFC 8018, RFC 7914 section 7) and writes PBKDF2 with 2,048 rounds only, which is some hundred times
cheaper to guess.

A key file may come from anybody, and says itself how much memory and time it takes to open. That is read here and
bounded before anything is derived.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from weighbridge.errors import KeyFileError
from weighbridge.evidence import _der

SCRYPT_N: Final = 65536
SCRYPT_R: Final = 8
SCRYPT_P: Final = 1
"""What a new key file costs to guess: the figures that cosign 3 writes."""

MAX_SCRYPT_MEMORY: Final = 256 * 1024 * 1024
"""Most memory that a key file may ask for: four times that of a new one."""

MAX_SCRYPT_WORK: Final = 8 * SCRYPT_N * SCRYPT_R * SCRYPT_P
"""Most work (N r p) that a key file may ask for: eight times that of a new one."""

MAX_PBKDF2_ROUNDS: Final = 10_000_000
"""Most rounds that a key file may ask for: some seconds."""

_PBES2: Final = bytes.fromhex("2a864886f70d01050d")  # 1.2.840.113549.1.5.13
_PBKDF2: Final = bytes.fromhex("2a864886f70d01050c")  # 1.2.840.113549.1.5.12
_SCRYPT: Final = bytes.fromhex("2b06010401da47040b")  # 1.3.6.1.4.1.11591.4.11
_AES_256_CBC: Final = bytes.fromhex("60864801650304012a")  # 2.16.840.1.101.3.4.1.42

_ENCRYPTED: Final = "ENCRYPTED PRIVATE KEY"
_PEM: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----\r?\n(.*?)-----END \1-----", re.DOTALL)
_CLEAR: Final = ("PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY")
_COSIGN: Final = ("ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY")


@dataclass(frozen=True, slots=True)
class Derivation:
    """How a file's key is derived from its passphrase, in words, and whether that is cheaper than in a new file."""

    text: str
    cheap: bool


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A key file that may be opened: its DER, and what that costs."""

    der: bytes
    derivation: Derivation

    @classmethod
    def read(cls, pem: bytes, *, what: str) -> SealedKey:
        """Read a PEM file as an encrypted PKCS #8 key, and derive nothing.

        Raises:
            KeyFileError: When it is not one, or opening it would take more than the limits.
        """
        der = _unwrap(pem, what)
        try:
            (outer,) = _der.inside(_der.Element(_der.SEQUENCE, der), _der.SEQUENCE)
            algorithm, _ = _der.inside(outer, _der.SEQUENCE, _der.OCTET_STRING)
            scheme, parameters = _der.inside(algorithm, _der.OBJECT, _der.SEQUENCE)
            if scheme.content != _PBES2:
                raise ValueError("it is not encrypted by PBES2")
            function, _ = _der.inside(parameters, _der.SEQUENCE, _der.SEQUENCE)
            name, settings = _der.inside(function, _der.OBJECT, _der.SEQUENCE)
            return cls(der, _derivation(name.content, settings, what))
        except ValueError as error:
            raise KeyFileError(
                f"{what} is not a key file that is read here: {error}; "
                "expected PKCS #8 under PBES2 with scrypt or PBKDF2",
                remedy="make a key with `weighbridge keys new`, or convert this one with `openssl pkcs8 -topk8`",
            ) from None


def seal(private_key: bytes, passphrase: bytes) -> bytes:
    """Encrypt a PKCS #8 key in DER under the passphrase and return the PEM file.

    Raises:
        KeyFileError: When there is not enough memory to derive the key.
    """
    salt, vector = secrets.token_bytes(16), secrets.token_bytes(16)
    try:
        key = hashlib.scrypt(
            passphrase,
            salt=salt,
            n=SCRYPT_N,
            r=SCRYPT_R,
            p=SCRYPT_P,
            maxmem=2 * _memory(SCRYPT_N, SCRYPT_R, SCRYPT_P),
            dklen=32,
        )
    except MemoryError:
        raise too_little_memory("the new key file") from None
    padder, encryptor = PKCS7(128).padder(), Cipher(algorithms.AES256(key), modes.CBC(vector)).encryptor()
    encrypted = encryptor.update(padder.update(private_key) + padder.finalize()) + encryptor.finalize()
    costs = [_der.write_integer(each) for each in (SCRYPT_N, SCRYPT_R, SCRYPT_P)]
    function = _algorithm(_SCRYPT, _der.write(_der.SEQUENCE, _der.write(_der.OCTET_STRING, salt), *costs))
    cipher = _algorithm(_AES_256_CBC, _der.write(_der.OCTET_STRING, vector))
    scheme = _algorithm(_PBES2, _der.write(_der.SEQUENCE, function, cipher))
    der = _der.write(_der.SEQUENCE, scheme, _der.write(_der.OCTET_STRING, encrypted))
    text = base64.b64encode(der).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join((f"-----BEGIN {_ENCRYPTED}-----", *lines, f"-----END {_ENCRYPTED}-----", "")).encode()


def too_little_memory(what: str) -> KeyFileError:
    """Return the error for a machine on which a key cannot be derived."""
    return KeyFileError(
        f"there is not enough memory to derive the key of {what}",
        remedy=f"give the process {_memory(SCRYPT_N, SCRYPT_R, SCRYPT_P) // 2**20} MiB more",
    )


def _algorithm(identifier: bytes, parameters: bytes) -> bytes:
    return _der.write(_der.SEQUENCE, _der.write(_der.OBJECT, identifier), parameters)


def _memory(n: int, r: int, p: int) -> int:
    return 128 * r * (n + p)


def _derivation(name: bytes, settings: _der.Element, what: str) -> Derivation:
    if name == _SCRYPT:
        _, *costs = _der.start_of(settings, _der.OCTET_STRING, _der.INTEGER, _der.INTEGER, _der.INTEGER)
        n, r, p = (_der.number(each) for each in costs)
        text = f"scrypt with N={n}, r={r}, p={p}"
        # RFC 7914, section 2: a power of two, less than 2^(128 r / 8); who asks for more gets an error of OpenSSL's.
        if n < 2 or n & (n - 1) or r < 1 or p < 1 or n.bit_length() > 16 * r:  # noqa: PLR2004
            raise ValueError(f"{text} is not possible")
        if _memory(n, r, p) > MAX_SCRYPT_MEMORY + 2**20 or n * r * p > MAX_SCRYPT_WORK:
            raise _too_costly(what, text, f"{MAX_SCRYPT_MEMORY // 2**20} MiB and N r p = {MAX_SCRYPT_WORK}")
        cheap = n * r < SCRYPT_N * SCRYPT_R or n * r * p < SCRYPT_N * SCRYPT_R * SCRYPT_P
        return Derivation(text, cheap)
    if name == _PBKDF2:
        _, count = _der.start_of(settings, _der.OCTET_STRING, _der.INTEGER)
        rounds = _der.number(count)
        text = f"PBKDF2 with {rounds} rounds"
        if rounds > MAX_PBKDF2_ROUNDS:
            raise _too_costly(what, text, f"{MAX_PBKDF2_ROUNDS} rounds")
        return Derivation(text, cheap=True)
    raise ValueError("its key is derived by something else")


def _too_costly(what: str, found: str, most: str) -> KeyFileError:
    return KeyFileError(
        f"{what} asks for {found}, more than is spent on a key file; at most {most}",
        remedy="do not use this file unless you made it; `weighbridge keys new` makes another key",
    )


def _unwrap(pem: bytes, what: str) -> bytes:
    found = _PEM.search(pem) if pem.count(b"-----BEGIN ") == 1 else None
    label, body = (found[1].decode(), found[2]) if found is not None else ("", b"")
    if label == _ENCRYPTED:
        try:
            return base64.b64decode(b"".join(body.split()), validate=True)
        except binascii.Error:
            raise KeyFileError(f"{what} is not a PEM private key: its base64 is broken") from None
    if label in _COSIGN:
        raise KeyFileError(
            f"{what} is a key file of cosign's own kind, which is not read here",
            remedy="make a key with `weighbridge keys new`: cosign verifies what it signs with the .pub file",
        )
    if label in _CLEAR and b"ENCRYPTED" in body:
        raise KeyFileError(
            f"{what} is encrypted as OpenSSL did it before PKCS #8, by a passphrase that is hashed once",
            remedy="convert it with `openssl pkcs8 -topk8`, then with `weighbridge keys rewrap`",
        )
    if label in _CLEAR:
        raise KeyFileError(
            f"{what} is not encrypted", remedy="make a new key with `weighbridge keys new` and retire this one"
        )
    raise KeyFileError(
        f"{what} cannot be decrypted: it is not a private key that is read here; expected one PEM block {_ENCRYPTED}",
        remedy="give the .key file that `weighbridge keys new` wrote",
    )
