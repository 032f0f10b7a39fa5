"""What a private key is kept in. Files that OpenSSL 3.0 wrote lie in ``files``, under the passphrase below."""

from __future__ import annotations

import base64
import hashlib
import tracemalloc
from pathlib import Path

import pytest
from cryptography.exceptions import InternalError
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.errors import KeyFileError
from weighbridge.evidence import _der, key_file
from weighbridge.evidence.key_file import SealedKey, seal
from weighbridge.evidence.keys import KeyAlgorithm, PrivateKey, PublicKey

PASSPHRASE = b"correct horse"
FILES = Path(__file__).with_name("files")


@pytest.fixture(scope="module")
def sealed() -> bytes:
    return PrivateKey.generate(KeyAlgorithm.ED25519).encrypted(PASSPHRASE)


def body(pem: bytes) -> bytes:
    return base64.b64decode(b"".join(pem.splitlines()[1:-1]))


def pem_of(der: bytes) -> bytes:
    middle = base64.encodebytes(der).decode()
    return f"-----BEGIN ENCRYPTED PRIVATE KEY-----\n{middle}-----END ENCRYPTED PRIVATE KEY-----\n".encode()


def with_scrypt(pem: bytes, *, n: int, r: int, p: int) -> bytes:
    """Return a key file that asks for other costs; nothing else in it is changed."""
    outer = _der.read(body(pem))[0]
    algorithm, encrypted = _der.read(outer.content)
    scheme, parameters = _der.read(algorithm.content)
    function, cipher = _der.read(parameters.content)
    name, settings = _der.read(function.content)
    salt = _der.read(settings.content)[0]
    costs = [_der.write_integer(each) for each in (n, r, p)]
    rebuilt = _der.write(_der.SEQUENCE, _der.write(*name), _der.write(_der.SEQUENCE, _der.write(*salt), *costs))
    pbes2 = _der.write(_der.SEQUENCE, _der.write(*scheme), _der.write(_der.SEQUENCE, rebuilt, _der.write(*cipher)))
    return pem_of(_der.write(_der.SEQUENCE, pbes2, _der.write(*encrypted)))


def test_the_figures_are_those_of_cosign() -> None:
    assert (key_file.SCRYPT_N, key_file.SCRYPT_R, key_file.SCRYPT_P) == (65536, 8, 1)


def test_cryptography_reads_what_is_written(sealed: bytes) -> None:
    assert SealedKey.read(sealed, what="x").derivation == key_file.Derivation("scrypt with N=65536, r=8, p=1", False)
    key = serialization.load_pem_private_key(sealed, password=PASSPHRASE)
    assert isinstance(key, ed25519.Ed25519PrivateKey)
    assert max(map(len, sealed.splitlines())) <= 64


def test_two_files_of_one_key_have_nothing_in_common() -> None:
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    first, second = (body(seal(key, PASSPHRASE)) for _ in range(2))
    assert len(first) == len(second)
    assert first[-32:] != second[-32:]
    assert key[-32:] not in first


@pytest.mark.parametrize("kind", ["ed25519", "p256"])
@pytest.mark.parametrize(
    ("derivation", "text"), [("pbkdf2", "PBKDF2 with 2048 rounds"), ("scrypt", "scrypt with N=16384, r=8, p=1")]
)
def test_reads_what_openssl_wrote_and_knows_that_it_is_cheap(kind: str, derivation: str, text: str) -> None:
    file = (FILES / f"openssl-{kind}-{derivation}.key").read_bytes()
    public = PublicKey.parse((FILES / f"openssl-{kind}.pub").read_text(), what="x")
    assert PrivateKey.parse(file, passphrase=PASSPHRASE, what="x").public == public
    assert SealedKey.read(file, what="x").derivation == key_file.Derivation(text, True)


def test_an_old_file_is_still_read() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    old = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(PASSPHRASE),
    )
    assert SealedKey.read(old, what="x").derivation.cheap
    signature = PrivateKey.parse(old, passphrase=PASSPHRASE, what="x").sign(b"message")
    key.public_key().verify(signature, b"message")


@pytest.mark.parametrize(
    ("n", "r", "p"),
    [(2**30, 8, 1), (2**40, 8, 1), (2**100, 8, 1), (65536, 8, 2**20), (2, 2**24, 1), (2, 1, 2**30), (2**18, 16, 1)],
)
def test_hostile_costs_are_refused_before_anything_is_derived(
    sealed: bytes, n: int, r: int, p: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serialization, "load_der_private_key", lambda *_, **__: pytest.fail("it was opened"))
    tracemalloc.start()
    with pytest.raises(KeyFileError, match=f"asks for scrypt with N={n}, r={r}, p={p}, more than"):
        PrivateKey.parse(with_scrypt(sealed, n=n, r=r, p=p), passphrase=PASSPHRASE, what="x")
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("n", "r", "p"), [(0, 8, 1), (1, 8, 1), (3, 8, 1), (65535, 8, 1), (2, 0, 1), (2, 1, 0), (65536, 1, 1)]
)
def test_impossible_costs_are_refused(sealed: bytes, n: int, r: int, p: int) -> None:
    with pytest.raises(KeyFileError, match="is not possible"):
        SealedKey.read(with_scrypt(sealed, n=n, r=r, p=p), what="x")


def test_the_highest_cost_that_scrypt_knows_is_read_and_the_next_is_refused_in_words(sealed: bytes) -> None:
    """RFC 7914, section 2: N is less than 2^(128 r / 8)."""
    for n, said in ((2**15, "passphrase is wrong"), (2**16, "is not possible")):
        with pytest.raises(KeyFileError, match=said):
            PrivateKey.parse(with_scrypt(sealed, n=n, r=1, p=1), passphrase=PASSPHRASE, what="x")


def test_what_openssl_itself_refuses_is_said_in_words(sealed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise InternalError("Unknown OpenSSL error.", [])

    monkeypatch.setattr(serialization, "load_der_private_key", refuse)
    with pytest.raises(KeyFileError, match="OpenSSL refuses to derive its key"):
        PrivateKey.parse(sealed, passphrase=PASSPHRASE, what="x")


def test_costs_within_the_limits_are_read(sealed: bytes) -> None:
    assert not SealedKey.read(with_scrypt(sealed, n=2**18, r=8, p=2), what="x").derivation.cheap
    assert not SealedKey.read(with_scrypt(sealed, n=65536, r=8, p=8), what="x").derivation.cheap
    assert SealedKey.read(with_scrypt(sealed, n=2**15, r=8, p=2), what="x").derivation.cheap


def test_hostile_rounds_are_refused() -> None:
    file = body((FILES / "openssl-ed25519-pbkdf2.key").read_bytes())
    rounds = _der.write_integer(2048)
    assert file.count(rounds) == 1
    # The number has two bytes there; the file grows by two, in five lengths.
    grown = file.replace(rounds, _der.write_integer(2**31 - 1))
    for position in (2, 4, 17, 19, 32):
        grown = grown[:position] + bytes([grown[position] + 2]) + grown[position + 1 :]
    with pytest.raises(KeyFileError, match="asks for PBKDF2 with 2147483647 rounds"):
        SealedKey.read(pem_of(grown), what="x")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ((FILES / "openssl-p256-traditional.key").read_bytes(), "before PKCS #8"),
        ((FILES / "openssl-p256-pbes1.key").read_bytes(), "not encrypted by PBES2|other elements"),
        (b"", "expected one PEM block"),
        ((FILES / "openssl-p256.pub").read_bytes(), "expected one PEM block"),
        ((FILES / "openssl-ed25519-scrypt.key").read_bytes() * 2, "expected one PEM block"),
        (pem_of(b""), "not a key file"),
        (b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nA\n-----END ENCRYPTED PRIVATE KEY-----\n", "base64 is broken"),
        (
            b"-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n",
            "cosign's own kind",
        ),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", "expected one PEM block"),
    ],
)
def test_says_what_another_file_is(text: bytes, words: str) -> None:
    with pytest.raises(KeyFileError, match=words) as raised:
        PrivateKey.parse(text, passphrase=PASSPHRASE, what="x")
    assert raised.value.message.startswith("x ")
    assert raised.value.remedy or "base64" in words


@given(st.data())
def test_a_changed_file_is_refused_in_words_or_still_bounded(data: st.DataObject) -> None:
    der = bytearray(body((FILES / "openssl-ed25519-scrypt.key").read_bytes()))
    for _ in range(data.draw(st.integers(1, 3))):
        der[data.draw(st.integers(0, 60))] = data.draw(st.integers(0, 255))
    words = ""
    try:
        SealedKey.read(pem_of(bytes(der)), what="x")
    except KeyFileError as error:
        words = error.message
    assert not words or words.startswith("x ")
    assert "unpack" not in words


@given(st.binary(max_size=200))
def test_any_bytes_are_read_back_or_refused(data: bytes) -> None:
    try:
        found = _der.read(data)
    except ValueError:
        return
    assert b"".join(_der.write(*element) for element in found) == data


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 70_000])
def test_lengths_are_written_and_read(size: int) -> None:
    assert _der.read(_der.write(_der.OCTET_STRING, bytes(size))) == [(_der.OCTET_STRING, bytes(size))]


@pytest.mark.parametrize(
    "data", ["30", "0481", "048001", "048101", "04810100", "0482000100", "048500000000ff", "04ff", "0401"]
)
def test_refuses_lengths_that_are_not_der(data: str) -> None:
    with pytest.raises(ValueError, match=r"as DER asks|ends early"):
        _der.read(bytes.fromhex(data))


def test_a_machine_without_memory_for_it_is_told_so(sealed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr(hashlib, "scrypt", fail)
    with pytest.raises(KeyFileError, match="not enough memory"):
        seal(b"", PASSPHRASE)
    monkeypatch.setattr(serialization, "load_der_private_key", fail)
    with pytest.raises(KeyFileError, match="not enough memory") as raised:
        PrivateKey.parse(sealed, passphrase=PASSPHRASE, what="x")
    assert "64 MiB" in raised.value.remedy
