"""A key that a trust document gives a role, and when it may be used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from weighbridge.clock import parse_instant
from weighbridge.errors import KeyFileError, ParseError, VerificationError
from weighbridge.evidence.keys import PublicKey
from weighbridge.trust.document import Holder, KeySpec, RoleSpec


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A key, the role that it has and its validity."""

    key: PublicKey
    role: str
    signs: frozenset[str]
    not_before: datetime | None
    not_after: datetime | None
    held_by: Holder = "namespace"

    @classmethod
    def of(cls, key: KeySpec, role: RoleSpec, *, what: str) -> TrustedKey:
        """Take what a document says of a key of this role; ``what`` names its place.

        Raises:
            ParseError: When it is no public key, proves nothing, or its dates are none.
        """
        try:
            public = PublicKey.parse(key.public_key, what=what)
        except KeyFileError as error:
            raise ParseError(error.message, remedy=error.remedy) from None
        return cls(
            key=public,
            role=role.name,
            signs=frozenset(role.signs),
            not_before=None if key.not_before is None else parse_instant(key.not_before, what=f"{what}: notBefore"),
            not_after=None if key.not_after is None else parse_instant(key.not_after, what=f"{what}: notAfter"),
            held_by=role.held_by,
        )

    def is_valid_at(self, now: datetime) -> bool:
        """Say whether the key may be used at this time."""
        begun = self.not_before is None or self.not_before <= now
        return begun and (self.not_after is None or now <= self.not_after)


@dataclass(frozen=True, slots=True)
class RolesThen:
    """The roles in which a key may sign something now, and those in which it only could when it did.

    ``why`` says why it may not now, when it may in no role at all.
    """

    now: tuple[TrustedKey, ...]
    ended: tuple[TrustedKey, ...]
    why: VerificationError | None
