"""Seeds that nobody who is judged chooses.

A statistic comes out a little otherwise with every seed, so whoever chooses seeds can try until one passes. A seed that
follows from the digests of model and inputs is fixed for them, and anybody can compute it again; but one byte in a
README makes another model, so only a seed that also depends on a secret of the platform cannot be looked for in
advance.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Final

from weighbridge.errors import UsageError
from weighbridge.evidence.measurements import Input
from weighbridge.evidence.record import CheckName, Seed, SeedSource
from weighbridge.model.digest import Digest

MIN_SECRET: Final = 32
"""Fewest bytes of a platform's secret."""

_CONTEXT: Final = b"weighbridge.dev/seed/v1\n"
_SEED_BYTES: Final = 4


AMOUNTS: Final = ("epsilon", "queries", "samples")
"""Parameters that say how much is measured. With another amount goes another seed, so that a look with other ones shows
less of what the real one will say."""


def amounts_of(parameters: Mapping[str, object]) -> tuple[tuple[str, object], ...]:
    """Return the parameters that a seed depends on."""
    return tuple((name, parameters[name]) for name in AMOUNTS if name in parameters)


def seed_from_digests(
    check: CheckName, *, model: Digest, inputs: Iterable[Input], amounts: tuple[tuple[str, object], ...] = ()
) -> Seed:
    """Return the one seed of a check of this model on these inputs, measured by so much."""
    made = hashlib.sha256(_message(check, model, inputs, amounts)).digest()
    return Seed(value=int.from_bytes(made[:_SEED_BYTES]), source=SeedSource.DIGESTS)


def seed_of_platform(
    check: CheckName,
    *,
    model: Digest,
    inputs: Iterable[Input],
    secret: bytes,
    amounts: tuple[tuple[str, object], ...] = (),
) -> Seed:
    """Return the one seed of a check of this model on these inputs for the holder of a secret (HMAC, RFC 2104).

    Raises:
        UsageError: When the secret is too short to be one.
    """
    if len(secret) < MIN_SECRET:
        raise UsageError(
            f"the secret behind seeds has {len(secret)} bytes; at least {MIN_SECRET} are needed",
            remedy="make one with `openssl rand 32`, and keep it where nobody who is judged can read it",
        )
    made = hmac.new(secret, _message(check, model, inputs, amounts), hashlib.sha256).digest()
    return Seed(value=int.from_bytes(made[:_SEED_BYTES]), source=SeedSource.PLATFORM)


def _message(
    check: CheckName, model: Digest, inputs: Iterable[Input], amounts: tuple[tuple[str, object], ...]
) -> bytes:
    lines = sorted(f"{item.role} {item.sha256}\n" for item in inputs)
    lines += [f"{name} {value!r}\n" for name, value in amounts]
    return _CONTEXT + f"{check}\n{model}\n{''.join(lines)}".encode()
