from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.evidence import edwards
from weighbridge.evidence import ed25519_point
from weighbridge.evidence.ed25519_point import Fault, fault_of


def test_there_are_eight_points_of_small_order_in_fourteen_encodings() -> None:
    assert len(set(edwards.TORSION)) == 8
    assert all(edwards.times(8, point) == edwards.NEUTRAL for point in edwards.TORSION)
    assert len(edwards.SMALL_ORDER) == 14


@pytest.mark.parametrize("encoded", edwards.SMALL_ORDER, ids=bytes.hex)
def test_refuses_every_encoding_of_a_point_of_small_order(encoded: bytes) -> None:
    canonical = edwards.decode(encoded) is not None
    assert fault_of(encoded) is (Fault.SMALL_ORDER if canonical else Fault.NOT_CANONICAL)


@pytest.mark.parametrize("encoded", edwards.MIXED_ORDER, ids=bytes.hex)
def test_refuses_a_real_key_with_a_point_of_small_order_added(encoded: bytes) -> None:
    assert fault_of(encoded) is Fault.MIXED_ORDER


@pytest.mark.parametrize("number", [2, 7, 8])
def test_refuses_bytes_that_are_no_point(number: int) -> None:
    assert fault_of(number.to_bytes(32, "little")) is Fault.NO_POINT
    assert fault_of((number | 1 << 255).to_bytes(32, "little")) is Fault.NO_POINT


@pytest.mark.parametrize("excess", range(19))
@pytest.mark.parametrize("sign", [0, 1])
def test_refuses_every_y_that_is_not_less_than_the_prime(excess: int, sign: int) -> None:
    assert fault_of((edwards.P + excess | sign << 255).to_bytes(32, "little")) is Fault.NOT_CANONICAL


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_refuses_another_number_of_bytes(size: int) -> None:
    assert fault_of(bytes(size)) is Fault.NOT_CANONICAL


def test_accepts_keys_that_were_made_honestly() -> None:
    for _ in range(200):
        key = ed25519.Ed25519PrivateKey.generate().public_key()
        assert fault_of(key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)) is None


def test_accepts_the_keys_of_rfc_8032() -> None:
    for key in (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e",
    ):
        assert fault_of(bytes.fromhex(key)) is None


def expected(encoded: bytes) -> bool:
    point = edwards.decode(encoded)
    return point is not None and point != edwards.NEUTRAL and edwards.times(edwards.L, point) == edwards.NEUTRAL


@settings(max_examples=50)
@given(st.binary(min_size=32, max_size=32))
@example(bytes(32))
@example(b"\xff" * 32)
def test_any_bytes_are_judged_as_multiplying_by_the_order_judges_them(encoded: bytes) -> None:
    assert (fault_of(encoded) is None) == expected(encoded)


@settings(max_examples=50)
@given(st.integers(1, edwards.L - 1), st.integers(0, 7))
def test_only_multiples_of_the_base_point_pass(number: int, torsion: int) -> None:
    # Bytes at random are of prime order one time in sixteen; this goes through each coset equally often.
    point = edwards.add(edwards.times(number, edwards.BASE), edwards.TORSION[torsion])
    assert (fault_of(edwards.encode(point)) is None) == (torsion == 0)


def test_the_constants_are_what_their_names_say() -> None:
    p = ed25519_point.P
    assert ed25519_point.C**2 % p == -(ed25519_point.A + 2) % p
    assert ed25519_point.I**2 % p == p - 1
    # Both are what halving rests on: one point of order 2 and no more, and one of two preimages that is a square.
    assert pow(ed25519_point.A**2 - 4, (p - 1) // 2, p) == p - 1
