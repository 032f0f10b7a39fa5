"""Whether 32 bytes are an Ed25519 public key that proves anything.

A point of small order verifies signatures that nobody made: under the neutral point, R = 1 and S = 0 is a signature
over every message. Under a point of mixed order, two correct verifiers may disagree. OpenSSL loads both, and bytes
that are no point as well. An honest key is a multiple of the base point, so it has the prime order L = 2^252 + ….

The curve's group is cyclic of order 8 L, so the points of order L are those that can be halved three times. Halving
takes square roots only, a third less work than computing [L]P (Pornin, "Point-Halving and Subgroup Membership in
Twisted Edwards Curves", IACR 2022/1164); the tests compare both. All of this is about public keys: nothing here is
secret, and nothing runs in constant time.
"""

from __future__ import annotations

import enum
from functools import lru_cache
from typing import Final

P: Final = 2**255 - 19
"""The field's prime."""

D: Final = -121665 * pow(121666, -1, P) % P
"""The curve is -x² + y² = 1 + D x² y² (RFC 8032, section 5.1)."""

A: Final = 486662
"""The same curve in Montgomery's form is v² = u (u² + A u + 1) (RFC 7748, section 4.1)."""

I: Final = pow(2, (P - 1) // 4, P)  # noqa: E741 - it is the imaginary unit of this field
"""A square root of -1."""


C: Final = 6853475219497561581579357271197624642482790079785650197046958215289687604742
"""A square root of -(A + 2): Montgomery's v is C u / x. Either will do, a point and its negative halve alike."""


class Fault(enum.StrEnum):
    """Why a key proves nothing."""

    NOT_CANONICAL = "it is not the one encoding that its point has"
    NO_POINT = "its bytes are no point of the curve"
    SMALL_ORDER = "it is a point of small order, under which anybody can sign"
    MIXED_ORDER = "it is a point of mixed order, about which verifiers disagree"


@lru_cache(maxsize=1024)  # a controller reads the same trust document again and again
def fault_of(encoded: bytes) -> Fault | None:
    """Return what is wrong with the 32 bytes of a public key, or None for a point of prime order.

    The encoding is read as RFC 8032, section 5.1.3 says, and strictly: y is less than the prime, and x = 0 has no
    sign.
    """
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if len(encoded) != 32 or y >= P:  # noqa: PLR2004
        return Fault.NOT_CANONICAL
    x = _root((y * y - 1) * pow(D * y * y + 1, -1, P))
    if x is None:
        return Fault.NO_POINT
    if x == 0 and sign:
        return Fault.NOT_CANONICAL
    # The other points of order 1 and 2 have x = 0, of order 4 y = 0, of order 8 x² = -y²: doubled, that is y = 0.
    if x * y * (x * x + y * y) % P == 0:
        return Fault.SMALL_ORDER
    return None if _halves_three_times(x, y) else Fault.MIXED_ORDER


def _root(square: int) -> int | None:
    """Return a square root in the field, or None when there is none (RFC 8032, section 5.1.1: p = 5 mod 8)."""
    square %= P
    root = pow(square, (P + 3) // 8, P)
    for candidate in (root, root * I % P):
        if candidate * candidate % P == square:
            return candidate
    return None


def _halves_three_times(x: int, y: int) -> bool:
    """Tell whether a point of the curve, none of small order, is eight times another.

    A point (u, v) of Montgomery's curve is twice another exactly when u is a square. Halving goes through the curve
    v² = u (u² - 2 A u + A² - 4), by the two maps that make a doubling together: with w² = u, the points
    2 u + A ± 2 v / w lie above u, exactly one of the two is a square (their product A² - 4 is none), and with its root
    r the half is ((r² - A) / 2 + w r, r times that).
    """
    inverse = pow(x * (1 - y), -1, P)
    u = (1 + y) * x * inverse % P
    w = _root(u)
    if w is None:
        return False
    slope = C * w * (1 - y) * inverse % P  # v / w
    for _ in range(2):
        r = _root(2 * u + A + 2 * slope)
        if r is None:
            w, r = -w, _root(2 * u + A - 2 * slope)
        if r is None:
            return False
        u = ((r * r - A) * (P + 1) // 2 + w * r) % P
        w = _root(u)
        if w is None:
            return False
        slope = r * w % P
    return True
