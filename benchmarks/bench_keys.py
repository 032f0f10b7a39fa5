"""What a guess at the passphrase of a key file costs, and what the check of a public key costs.

Seconds of the processor in this process, the median of some rounds; every figure is of one guess or one key.
"""

from __future__ import annotations

import hashlib
import statistics
import time
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import ed25519

from benchmarks.measure import goal
from weighbridge.evidence.ed25519_point import fault_of
from weighbridge.evidence.key_file import SCRYPT_N, SCRYPT_P, SCRYPT_R

COSIGN = (65536, 8, 1)
"""N, r and p of the files that cosign 3 writes."""

OLD_ROUNDS = 2048
"""Rounds of PBKDF2 in key files before this format; ``cryptography`` writes no other."""

KEYS = 64
MOST_MILLISECONDS_A_KEY = 2.5


def main() -> None:
    """Print guesses beside each other, then the check of a key."""
    salt = bytes(16)
    old = _seconds(lambda: hashlib.pbkdf2_hmac("sha256", b"a guess", salt, OLD_ROUNDS, 32), rounds=51)
    ours = _seconds(lambda: _scrypt(salt, SCRYPT_N, SCRYPT_R, SCRYPT_P), rounds=5)
    cosign = _seconds(lambda: _scrypt(salt, *COSIGN), rounds=5)
    print(f"{'one guess':<44} {'ms':>8} {'memory':>8} {'times the old file':>20}")
    for name, seconds, memory in (
        (f"PBKDF2, {OLD_ROUNDS} rounds (files of older releases)", old, 0),
        (f"scrypt, N={SCRYPT_N} r={SCRYPT_R} p={SCRYPT_P} (files written now)", ours, 128 * SCRYPT_N * SCRYPT_R),
        (f"scrypt, N={COSIGN[0]} r={COSIGN[1]} p={COSIGN[2]} (cosign's)", cosign, 128 * COSIGN[0] * COSIGN[1]),
    ):
        print(f"{name:<44} {seconds * 1e3:8.2f} {memory // 2**20:>4} MiB {seconds / old:20.0f}")
    goal(f"a guess costs {ours / cosign:.2f} of one at a file of cosign's; goal 0.9", reached=ours >= 0.9 * cosign)

    keys = [ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw() for _ in range(KEYS)]
    started = time.process_time()
    found = [fault_of(key) for key in keys]
    each = (time.process_time() - started) / KEYS * 1e3
    if any(found):
        raise SystemExit("an honest key was refused")
    print(f"\nis an Ed25519 key a point of prime order: {each:.2f} ms a key, ", end="")
    print(f"{4 * each:.1f} for four, {256 * each:.0f} for 256")
    goal(f"{each:.2f} ms a key; goal {MOST_MILLISECONDS_A_KEY}", reached=each <= MOST_MILLISECONDS_A_KEY)


def _scrypt(salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(b"a guess", salt=salt, n=n, r=r, p=p, maxmem=256 * r * (n + p), dklen=32)


def _seconds(work: Callable[[], object], *, rounds: int) -> float:
    found = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        found.append(time.process_time() - started)
    return statistics.median(found)


if __name__ == "__main__":
    main()
