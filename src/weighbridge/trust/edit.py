"""Change a trust document: every change is a new document with the next version.

The functions take and return documents; reading and writing files is the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec
import yaml

from weighbridge import _yaml
from weighbridge.clock import format_instant, parse_instant
from weighbridge.errors import TrustError, UsageError
from weighbridge.evidence.keys import PublicKey
from weighbridge.trust.document import (
    Holder,
    KeySpec,
    Metadata,
    PolicyReference,
    Revocation,
    Revoked,
    RoleSpec,
    Signable,
    TrustDocument,
    TrustSpec,
)
from weighbridge.trust.parse import Trust

USUAL_ROLES: Final[Mapping[str, tuple[Signable, ...]]] = {
    "auditor": ("dependency-audit",),
    "scanner": ("model-scan",),
    "tester": ("robustness", "leakage"),
    "verifier": ("verdict",),
    "curator": (
        "input:test",
        "input:members",
        "input:nonMembers",
        "input:requirements",
        "input:lock",
        "input:advisories",
    ),
    "approver": ("tries-reset",),
}
"""The roles of a usual installation and what each may sign."""


def new_document(name: str, *, roles: Mapping[str, PublicKey], expires: datetime) -> TrustDocument:
    """Make version 1 of a trust document that gives the usual roles to these keys.

    Raises:
        UsageError: For a role that is not one of the usual ones.
    """
    unknown = sorted(set(roles) - set(USUAL_ROLES))
    if unknown:
        raise UsageError(
            f"{unknown[0]!r} is not a usual role; those are {', '.join(USUAL_ROLES)}",
            remedy="add other roles with `weighbridge trust add`, which says what they sign",
        )
    return TrustDocument(
        api_version="weighbridge.dev/v1alpha1",
        kind="ModelTrust",
        metadata=Metadata(name=name),
        spec=TrustSpec(
            version=1,
            expires=format_instant(expires),
            roles=tuple(
                RoleSpec(name=role, signs=USUAL_ROLES[role], keys=(KeySpec(public_key=key.pem),))
                for role, key in sorted(roles.items())
            ),
        ),
    )


def add_key(
    document: TrustDocument,
    *,
    role: str,
    signs: Sequence[Signable],
    key: PublicKey,
    not_after: datetime | None,
    held_by: Holder | None = None,
) -> TrustDocument:
    """Give a role a further key, or make the role.

    Raises:
        TrustError: When the role exists and signs other things, is held by others, or has the key already.
    """
    entry = KeySpec(public_key=key.pem, not_after=format_instant(not_after) if not_after else None)
    roles = list(document.spec.roles)
    for index, present in enumerate(roles):
        if present.name != role:
            continue
        if signs and set(signs) != set(present.signs):
            raise TrustError(
                f"the role {role} signs {', '.join(present.signs)}; it cannot be added as one that signs "
                f"{', '.join(signs)}",
                remedy="leave --signs out, or choose another role",
            )
        if held_by is not None and held_by != present.held_by:
            raise TrustError(
                f"the keys of the role {role} are held by the {present.held_by}; one of the {held_by} cannot be added",
                remedy="leave --held-by out, or choose another role",
            )
        if any(PublicKey.parse(item.public_key, what="a key").id == key.id for item in present.keys):
            raise TrustError(f"the role {role} has the key {key.id} already")
        roles[index] = msgspec.structs.replace(present, keys=(*present.keys, entry))
        return _next(document, roles=tuple(roles))
    if not signs:
        raise UsageError(f"the role {role} is new; say what it signs", remedy="add --signs CHECK or --signs verdict")
    roles.append(RoleSpec(name=role, signs=tuple(signs), keys=(entry,), held_by=held_by or "namespace"))
    return _next(document, roles=tuple(roles))


def retire_key(document: TrustDocument, *, key_id: str, at: datetime) -> TrustDocument:
    """End a key's validity in every role that has it; what it signed, and verdicts on that, count until that instant.

    An end can only come nearer: a later one would give back what an earlier decision took away.

    Raises:
        TrustError: When no role has the key, or it ends by then in every role that has it.
    """
    ends: list[str] = []
    changed = False
    roles = []
    for role in document.spec.roles:
        keys = []
        for item in role.keys:
            if PublicKey.parse(item.public_key, what="a key").id == key_id:
                ends.append(item.not_after or "")
                if item.not_after is None or parse_instant(item.not_after, what="notAfter") > at:
                    changed = True
                    item = msgspec.structs.replace(item, not_after=format_instant(at))  # noqa: PLW2901
            keys.append(item)
        roles.append(msgspec.structs.replace(role, keys=tuple(keys)))
    if not ends:
        raise TrustError(f"no role has the key {key_id}", remedy="see the ids with `weighbridge trust show`")
    if not changed:
        raise TrustError(
            f"the key {key_id} ends at {max(ends)} already, and an end can only come nearer",
            remedy="give the role a new key with `weighbridge trust add`",
        )
    return _next(document, roles=tuple(roles))


def revoke(document: TrustDocument, *, item: str, reason: str) -> TrustDocument:
    """Revoke a key (``SHA256:…``), a model (``dirHash:…``) or a policy (``sha256:…``), at once and for good.

    Raises:
        UsageError: When the text is none of these.
    """
    revoked = document.spec.revoked
    entry = Revocation(id=item, reason=reason)
    if item.startswith("SHA256:"):
        revoked = msgspec.structs.replace(revoked, keys=(*revoked.keys, entry))
    elif item.startswith("dirHash:"):
        revoked = msgspec.structs.replace(revoked, models=(*revoked.models, entry))
    elif item.startswith("sha256:"):
        revoked = msgspec.structs.replace(revoked, policies=(*revoked.policies, entry))
    else:
        raise UsageError(
            f"{item!r} cannot be revoked; expected a key SHA256:…, a model dirHash:… or a policy sha256:…",
            remedy="see ids with `weighbridge trust show` and `weighbridge digest MODEL`",
        )
    return _next(document, revoked=revoked)


def list_policy(document: TrustDocument, *, name: str, digest: str) -> TrustDocument:
    """Let verdicts by the policy with this sha256 count; from the first one listed on, no other policy counts.

    An earlier policy of the same name is no longer listed, so its verdicts end with this version.

    Raises:
        TrustError: When it is listed already.
    """
    entry = PolicyReference(name=name, id=f"sha256:{digest}")
    if entry in document.spec.policies:
        raise TrustError(f"the policy {name} sha256:{digest} is listed already")
    others = tuple(policy for policy in document.spec.policies if policy.name != name)
    return _next(document, policies=(*others, entry))


def extend(document: TrustDocument, *, expires: datetime) -> TrustDocument:
    """Give the document a new date of expiry."""
    return _next(document, expires=format_instant(expires))


def _next(
    document: TrustDocument,
    *,
    roles: tuple[RoleSpec, ...] | None = None,
    revoked: Revoked | None = None,
    policies: tuple[PolicyReference, ...] | None = None,
    expires: str | None = None,
) -> TrustDocument:
    spec = document.spec
    changed = TrustSpec(
        version=spec.version + 1,
        expires=expires or spec.expires,
        roles=roles or spec.roles,
        policies=policies or spec.policies,
        revoked=revoked or spec.revoked,
    )
    return msgspec.structs.replace(document, spec=changed)


def parse_document(data: bytes, *, name: str) -> TrustDocument:
    """Parse a trust document for editing.

    Raises:
        ParseError: When it is not what it must be.
        TrustError: When it contradicts itself.
    """
    Trust.parse(data, name=name)
    return _yaml.load(data, name=name).convert(TrustDocument)


def dump(document: TrustDocument) -> bytes:
    """Write a document as YAML; parsing the bytes gives the same document.

    Raises:
        TrustError: When the document would contradict itself, so that no broken file is ever written.
    """
    data = yaml.dump(
        msgspec.to_builtins(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000
    ).encode()
    Trust.parse(data, name="the new trust document")
    return data


class _Dumper(yaml.SafeDumper):
    """Writes keys as literal blocks and never an alias."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _literal(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _literal)
