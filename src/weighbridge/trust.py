"""Who may sign what, until when, and what has been revoked.

A trust document gives roles to keys. A role says which checks its keys may sign evidence of, or that they may sign
verdicts; nothing else that they sign counts. The document has a version that only grows and a date after which it
refuses everything.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal

from msgspec import Meta

from weighbridge import _yaml
from weighbridge._files import read_limited
from weighbridge._struct import Wire
from weighbridge.clock import format_instant, parse_instant
from weighbridge.errors import InputError, KeyFileError, ParseError, TrustError, VerificationError
from weighbridge.evidence.keys import PublicKey
from weighbridge.model.digest import ALGORITHM, Digest

VERDICT: Final = "verdict"
"""What a role signs when it is neither of the checks."""

MAX_KEYS: Final = 256
"""Most keys in one document."""

_KEY_ID: Final = r"SHA256:[A-Za-z0-9+/]{43}"
_MODEL_ID: Final = rf"{ALGORITHM}:[0-9a-f]{{64}}"
_POLICY_ID: Final = r"sha256:[0-9a-f]{64}"

INPUT: Final = "input:"
"""What stands before the role of an input in what a role signs."""

TRIES_RESET: Final = "tries-reset"
"""What an approver signs so that earlier tries of a check no longer count."""

Signable = Literal[
    "dependency-audit",
    "model-scan",
    "robustness",
    "leakage",
    "verdict",
    "input:test",
    "input:members",
    "input:nonMembers",
    "input:requirements",
    "input:lock",
    "input:advisories",
    "tries-reset",
]
"""What a role may sign: evidence of a check, verdicts, inputs of a check by their role, or that tries are forgiven."""

Holder = Literal["platform", "namespace"]
"""Who holds the keys of a role: the platform, or those who make the models."""

_EVIDENCE: Final = frozenset({"dependency-audit", "model-scan", "robustness", "leakage"})

Label = Annotated[str, Meta(pattern=r"\A[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?\Z")]
"""A name. The pattern ends with the text, where ``$`` would let a line break follow that nobody sees."""


class Metadata(Wire):
    """The name of a document."""

    name: Label


class KeySpec(Wire, omit_defaults=True):
    """One key of a role and when it may be used."""

    public_key: Annotated[str, Meta(max_length=4096)]
    not_before: str | None = None
    not_after: str | None = None


class RoleSpec(Wire, omit_defaults=True):
    """A role: what its keys may sign, and whether the platform holds them or those who make the models.

    Only the platform's word says who asked, or that a seed was made with its secret.
    """

    name: Label
    signs: Annotated[tuple[Signable, ...], Meta(min_length=1)]
    keys: Annotated[tuple[KeySpec, ...], Meta(max_length=MAX_KEYS)]
    held_by: Holder = "namespace"


class Revocation(Wire):
    """One thing that no longer counts: a key by id, a model by dirHash, a policy by sha256."""

    id: Annotated[str, Meta(min_length=1, max_length=128)]
    reason: Annotated[str, Meta(min_length=1, max_length=1024)]


class Revoked(Wire, omit_defaults=True):
    """Everything that has been revoked."""

    keys: tuple[Revocation, ...] = ()
    models: tuple[Revocation, ...] = ()
    policies: tuple[Revocation, ...] = ()


class PolicyReference(Wire):
    """A policy by the sha256 of its canonical form, and the name it had then."""

    name: Label
    id: Annotated[str, Meta(pattern="^sha256:[0-9a-f]{64}$")]


class TrustSpec(Wire, omit_defaults=True):
    """The body of a trust document. Where policies are listed, a verdict by any other policy does not count."""

    version: Annotated[int, Meta(ge=1, le=2**53)]
    expires: str
    roles: Annotated[tuple[RoleSpec, ...], Meta(min_length=1, max_length=64)]
    policies: tuple[PolicyReference, ...] = ()
    revoked: Revoked = Revoked()


class TrustDocument(Wire):
    """A trust document as it is on disk and in a cluster."""

    api_version: Literal["weighbridge.dev/v1alpha1"]
    kind: Literal["ModelTrust"]
    metadata: Metadata
    spec: TrustSpec


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A key, the role that it has and its validity."""

    key: PublicKey
    role: str
    signs: frozenset[str]
    not_before: datetime | None
    not_after: datetime | None
    held_by: Holder = "namespace"

    def is_valid_at(self, now: datetime) -> bool:
        """Say whether the key may be used at this time."""
        begun = self.not_before is None or self.not_before <= now
        return begun and (self.not_after is None or now <= self.not_after)


@dataclass(frozen=True, slots=True)
class Trust:
    """A parsed and consistent trust document. ``digest`` is the sha256 of the bytes it was read from."""

    name: str
    digest: str
    version: int
    expires: datetime
    keys: tuple[TrustedKey, ...]
    roles: frozenset[str]
    policies: tuple[PolicyReference, ...]
    revoked: Revoked

    @classmethod
    def read(cls, path: Path) -> Trust:
        """Read a trust file.

        Raises:
            ParseError: When it is not what it must be, with file and line.
            TrustError: When it contradicts itself.
        """
        return cls.parse(read_bytes(path), name=path.name)

    @classmethod
    def parse(cls, data: bytes, *, name: str) -> Trust:
        """Parse a trust document; see ``read``."""
        document = _yaml.load(data, name=name)
        document.require_kind("ModelTrust")
        parsed = document.convert(TrustDocument)
        spec = parsed.spec
        keys: list[TrustedKey] = []
        for role_index, role in enumerate(spec.roles):
            for key_index, key in enumerate(role.keys):
                path = ("spec", "roles", role_index, "keys", key_index)
                keys.append(_trusted(key, role, f"{name}:{document.line(*path)}: the key of role {role.name}"))
        _require_consistent(spec, keys, name)
        expires = parse_instant(spec.expires, what=f"{name}:{document.line('spec', 'expires')}: expires")
        return cls(
            name=parsed.metadata.name,
            digest=hashlib.sha256(data).hexdigest(),
            version=spec.version,
            expires=expires,
            keys=tuple(keys),
            roles=frozenset(role.name for role in spec.roles),
            policies=spec.policies,
            revoked=spec.revoked,
        )

    def require_current(self, now: datetime) -> None:
        """Return when the document has not expired.

        Raises:
            TrustError: When it has.
        """
        if now > self.expires:
            raise TrustError(
                f"the trust document {self.name} version {self.version} expired at {format_instant(self.expires)}",
                remedy="get the current trust document, or extend it with `weighbridge trust extend`",
            )

    def require_model(self, model: Digest) -> None:
        """Return when the model has not been revoked.

        Raises:
            VerificationError: When it has.
        """
        for item in self.revoked.models:
            if item.id == str(model):
                raise VerificationError(f"the model {model} is revoked: {item.reason}", remedy="use another model")

    def require_policy(self, digest: str) -> None:
        """Return when the policy with this sha256 may judge: it is listed, where any is, and has not been revoked.

        Raises:
            VerificationError: When it may not.
        """
        self.require_listed_policy(digest)
        self.require_unrevoked_policy(digest)

    def require_listed_policy(self, digest: str) -> None:
        """Return when the policy with this sha256 is listed, or none is.

        Raises:
            VerificationError: When others are listed, and it is not.
        """
        if self.policies and not self.lists_policy(digest):
            raise VerificationError(
                f"the policy sha256:{digest} is not one that the trust document {self.name} lists",
                remedy="judge by a listed policy, or list this one with `weighbridge trust policy`",
            )

    def lists_policy(self, digest: str) -> bool:
        """Say whether the policy with this sha256 is one that the document lists."""
        return f"sha256:{digest}" in {policy.id for policy in self.policies}

    def require_unrevoked_policy(self, digest: str) -> None:
        """Return when the policy with this sha256 has not been revoked.

        Raises:
            VerificationError: When it has.
        """
        for item in self.revoked.policies:
            if item.id == f"sha256:{digest}":
                raise VerificationError(
                    f"the policy sha256:{digest} is revoked: {item.reason}", remedy="judge by the current policy"
                )

    def require_key(self, key_id: str) -> None:
        """Return when the key with this id has not been revoked.

        Raises:
            VerificationError: When it has.
        """
        for item in self.revoked.keys:
            if item.id == key_id:
                raise VerificationError(
                    f"the key {key_id} is revoked: {item.reason}", remedy="sign again with a key that is trusted"
                )

    def role_of(self, key: PublicKey, *, signs: str, now: datetime) -> TrustedKey:
        """Return the role in which a key may sign this, now.

        Raises:
            VerificationError: When the key is revoked, not yet or no longer valid, or its roles sign other things.
        """
        return self.role_of_id(key.id, signs=signs, now=now)

    def role_of_id(self, key_id: str, *, signs: str, now: datetime) -> TrustedKey:
        """Return the role in which the key with this id may sign this, now; see ``role_of``.

        Raises:
            VerificationError: As ``role_of``.
        """
        self.require_key(key_id)
        held = [trusted for trusted in self.keys if trusted.key.id == key_id]
        allowed = [trusted for trusted in held if signs in trusted.signs]
        if not allowed:
            roles = ", ".join(sorted(trusted.role for trusted in held)) or "no role"
            raise VerificationError(
                f"the key {key_id} (role {roles}) may not sign {signs}",
                remedy=f"sign with a key of a role whose `signs` lists {signs}",
            )
        for trusted in allowed:
            if trusted.is_valid_at(now):
                return trusted
        raise VerificationError(
            f"the key {key_id} of role {allowed[0].role} is outside its validity at {format_instant(now)}",
            remedy="sign again with a current key",
        )


def read_bytes(path: Path) -> bytes:
    """Read the bytes of a policy or trust file: a regular file, and at most as many as YAML may have.

    Raises:
        ParseError: When it cannot be read.
    """
    try:
        return read_limited(path, limit=_yaml.MAX_YAML_BYTES, what="the file")
    except InputError as error:
        raise ParseError(error.message, remedy=error.remedy) from None


def _trusted(key: KeySpec, role: RoleSpec, what: str) -> TrustedKey:
    try:
        public = PublicKey.parse(key.public_key, what=what)
    except KeyFileError as error:
        raise ParseError(error.message, remedy=error.remedy) from None
    return TrustedKey(
        key=public,
        role=role.name,
        signs=frozenset(role.signs),
        not_before=None if key.not_before is None else parse_instant(key.not_before, what=f"{what}: notBefore"),
        not_after=None if key.not_after is None else parse_instant(key.not_after, what=f"{what}: notAfter"),
        held_by=role.held_by,
    )


def _require_consistent(spec: TrustSpec, keys: list[TrustedKey], name: str) -> None:
    names = [role.name for role in spec.roles]
    repeated = sorted({role for role in names if names.count(role) > 1})
    if repeated:
        raise TrustError(f"{name}: the role {repeated[0]} appears twice", remedy="merge the two")
    if len(keys) > MAX_KEYS:
        raise TrustError(f"{name} has {len(keys)} keys; at most {MAX_KEYS} are accepted")
    for role in spec.roles:
        _require_apart(role, name)
    for role in spec.roles:
        ids = [trusted.key.id for trusted in keys if trusted.role == role.name]
        if len(set(ids)) < len(ids):
            twice = next(item for item in ids if ids.count(item) > 1)
            raise TrustError(f"{name}: the role {role.name} has the key {twice} twice", remedy="leave one of them out")
    _require_spelling(spec.revoked, name)


def _require_apart(role: RoleSpec, name: str) -> None:
    # Whoever examines a model must not also say on what, nor that earlier tries do not count.
    kinds = {
        "evidence": [item for item in role.signs if item in _EVIDENCE],
        "inputs": [item for item in role.signs if item.startswith(INPUT)],
        "resets of tries": [item for item in role.signs if item == TRIES_RESET],
        "verdicts": [item for item in role.signs if item == VERDICT],
    }
    held = [kind for kind, items in kinds.items() if items]
    if len(held) > 1:
        raise TrustError(
            f"{name}: the role {role.name} signs {held[0]} and {held[1]}; one role must not do both",
            remedy=f"give {held[1]} a role of their own",
        )


def _require_spelling(revoked: Revoked, name: str) -> None:
    # What is revoked is compared as text, so another spelling would revoke nothing and nobody would notice.
    for spelling, items in ((_KEY_ID, revoked.keys), (_MODEL_ID, revoked.models), (_POLICY_ID, revoked.policies)):
        for item in items:
            if re.fullmatch(spelling, item.id) is None:
                raise TrustError(
                    f"{name}: {item.id!r} is revoked, but nothing is ever called that; expected {spelling}",
                    remedy="write it as `weighbridge trust show` and `weighbridge digest` print it",
                )
