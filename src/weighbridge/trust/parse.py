"""A trust document, parsed: which key may sign what, until when, and what has been revoked."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from weighbridge import _yaml
from weighbridge._files import read_limited
from weighbridge.clock import format_instant, parse_instant
from weighbridge.errors import InputError, ParseError, TrustError, VerificationError
from weighbridge.evidence.keys import PublicKey
from weighbridge.model.digest import Digest
from weighbridge.trust.consistency import require_consistent
from weighbridge.trust.document import PolicyReference, Revoked, TrustDocument
from weighbridge.trust.key import RolesThen, TrustedKey


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
                keys.append(
                    TrustedKey.of(key, role, what=f"{name}:{document.line(*path)}: the key of role {role.name}")
                )
        require_consistent(spec, keys, name=name)
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
        """Return the first role in which a key may sign this, now; see ``roles_of``.

        Raises:
            VerificationError: As ``roles_of``.
        """
        return self.roles_of(key.id, signs=signs, now=now)[0]

    def roles_then(self, key_id: str, *, signs: str, now: datetime, then: datetime) -> RolesThen:
        """Return the roles in which a key may sign this now, and those in which it only could when it did.

        What a key signed in a role that it has lost since counts against a model, and never for it. That it may still
        sign in another role makes up for nothing: the policy named this one.

        Raises:
            VerificationError: As ``roles_of``, when the key could not sign this then either.
        """
        present: tuple[TrustedKey, ...] = ()
        past: tuple[TrustedKey, ...] = ()
        why: VerificationError | None = None
        try:
            present = self.roles_of(key_id, signs=signs, now=now)
        except VerificationError as error:
            why = error
        with contextlib.suppress(VerificationError):
            past = self.roles_of(key_id, signs=signs, now=then)
        ended = tuple(role for role in past if role not in present)
        if why is not None and not ended:
            raise why
        return RolesThen(present, ended, why)

    def roles_of(self, key_id: str, *, signs: str, now: datetime) -> tuple[TrustedKey, ...]:
        """Return every role in which the key with this id may sign this, now; there is at least one.

        Raises:
            VerificationError: When the key is revoked, not yet or no longer valid, or its roles sign other things.
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
        valid = tuple(trusted for trusted in allowed if trusted.is_valid_at(now))
        if not valid:
            raise VerificationError(
                f"the key {key_id} of role {allowed[0].role} is outside its validity at {format_instant(now)}",
                remedy="sign again with a current key",
            )
        return valid


def read_bytes(path: Path) -> bytes:
    """Read the bytes of a policy or trust file: a regular file, and at most as many as YAML may have.

    Raises:
        ParseError: When it cannot be read.
    """
    try:
        return read_limited(path, limit=_yaml.MAX_YAML_BYTES, what="the file")
    except InputError as error:
        raise ParseError(error.message, remedy=error.remedy) from None
