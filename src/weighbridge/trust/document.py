"""What a trust document says, as it is on disk and in a cluster."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta

from weighbridge._struct import Label, Wire

VERDICT: Final = "verdict"
"""What a role signs when it is neither of the checks."""

MAX_KEYS: Final = 256
"""Most keys in one document."""

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
    id: Annotated[str, Meta(pattern=r"\Asha256:[0-9a-f]{64}\Z")]


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
