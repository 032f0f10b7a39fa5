"""Ed25519 points the slow and plain way (RFC 8032, section 5.1), and keys that no honest signer has.

Nothing here comes from the code under test: affine addition, [L]P by doubling and adding, square roots by trying.
"""

from __future__ import annotations

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

Point = tuple[int, int]

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
NEUTRAL: Point = (0, 1)
BASE: Point = (
    15112221349535400772501151409588531511454012693041857206046113283949847762202,
    46316835694926478169428394003475163141307993866256225615783033603165251855960,
)


def add(first: Point, second: Point) -> Point:
    (a, b), (c, d) = first, second
    cross = D * a * b * c * d % P
    return (a * d + b * c) * pow(1 + cross, -1, P) % P, (b * d + a * c) * pow(1 - cross, -1, P) % P


def times(number: int, point: Point) -> Point:
    result = NEUTRAL
    while number:
        if number & 1:
            result = add(result, point)
        point = add(point, point)
        number >>= 1
    return result


def encode(point: Point) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def decode(encoded: bytes) -> Point | None:
    """Return the point with this encoding, which must be the one that it has, or None."""
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number % 2**255
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    root = pow(square, (P + 3) // 8, P)
    for x in (root, root * pow(2, (P - 1) // 4, P) % P):
        for candidate in (x, -x % P):
            if candidate * candidate % P == square and candidate & 1 == sign and encode((candidate, y)) == encoded:
                return (candidate, y)
    return None


def _order_8() -> Point:
    """Return a point of order 8, found by taking the large order out of points."""
    y = 2
    while True:
        point = decode(y.to_bytes(32, "little"))
        if point is not None and times(4, found := times(L, point)) != NEUTRAL:
            return found
        y += 1


TORSION = tuple(times(number, _order_8()) for number in range(8))
"""The points of small order, by their place in the group: 0 has order 1, 4 has 2, 2 and 6 have 4, the odd ones 8."""


def _encodings(point: Point) -> set[bytes]:
    """Return every 32 bytes that a lax reader takes for this point."""
    x, y = point
    signs = {0, 1} if x == 0 else {x & 1}
    return {(y + more | sign << 255).to_bytes(32, "little") for sign in signs for more in (0, P) if y + more < 2**255}


SMALL_ORDER = sorted(set().union(*(_encodings(point) for point in TORSION)))
"""All encodings of points of small order, canonical or not."""

MIXED_ORDER = [encode(add(times(7, BASE), point)) for point in TORSION[1:]]
"""Keys that are a real one with a point of small order added."""

NO_POINT = (2).to_bytes(32, "little")
"""32 bytes that no point has for its encoding."""

IDENTITY = encode(NEUTRAL)
"""The public key under which everybody can sign."""

CONSTANT_SIGNATURE = IDENTITY + bytes(32)
"""R = 1, S = 0: no private key went into it."""


def pem_of(encoded: bytes) -> str:
    """Return the bytes as a public key file; ``cryptography`` makes one of any 32 bytes."""
    key = ed25519.Ed25519PublicKey.from_public_bytes(encoded)
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
