"""What a verdict says: the predicate of a SLSA Verification Summary with our detail, and the verdict as a value.

Specification: https://slsa.dev/spec/v1.0/verification_summary
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec

from weighbridge._struct import Wire
from weighbridge.evidence.measurements import InputRole
from weighbridge.gate.decision import TITLES, Bond, VerdictResult
from weighbridge.model.digest import Digest, ManifestDigest
from weighbridge.report._text import clean
from weighbridge.trust import Holder

VSA: Final = "https://slsa.dev/verification_summary/v1"
VERIFIER_ID: Final = "https://weighbridge.dev/gate"
LEVEL: Final = "WEIGHBRIDGE_POLICY"
"""The one level that a passed verdict states: the named policy held."""

DETAIL_FIELD: Final = "weighbridge.dev/verdict/v1"
"""Name of the field that holds what a VSA has no field for."""


class Verifier(Wire):
    """Who verified, with which version."""

    id: str
    version: dict[str, str]


class DigestedResource(Wire, omit_defaults=True):
    """A policy or attestation by digest."""

    digest: dict[str, str]
    uri: str = ""


class InputSummary(Wire, omit_defaults=True):
    """One input that a requirement rests on, and what binds it. ``key`` signed it, in the role ``by``."""

    role: InputRole
    name: str
    sha256: str
    bond: Bond
    by: str = ""
    key: str = ""


class KeyRole(Wire, omit_defaults=True):
    """The role in which a key's word was taken, and who held the keys of that role then."""

    key: str
    role: str
    held_by: Holder = "namespace"


class RequirementSummary(Wire, omit_defaults=True):
    """What became of one requirement, and the ids of the keys that signed the evidence it rests on.

    ``roles`` says in which role each of them signed; verdicts of the first release do not. ``resets`` are the ids of
    the keys that forgave earlier tries.
    """

    check: str
    result: VerdictResult
    reason: str
    keys: tuple[str, ...] = ()
    roles: tuple[KeyRole, ...] = ()
    waived: tuple[str, ...] = ()
    inputs: tuple[InputSummary, ...] = ()
    notes: tuple[str, ...] = ()
    resets: tuple[str, ...] = ()


class TrustReference(Wire):
    """The trust document that was used."""

    name: str
    version: int
    sha256: str


class VerdictDetail(Wire, omit_defaults=True):
    """Result in three values, the trust used, until when it is valid, and every requirement.

    ``weaknesses`` are the sentences that every reader has to repeat. ``policy_file`` is the sha256 of the policy's
    bytes, by which a trust document may name it as well.
    """

    result: VerdictResult
    policy: str
    mode: Literal["audit", "warn", "enforce"]
    trust: TrustReference
    valid_until: str
    requirements: tuple[RequirementSummary, ...]
    problems: tuple[str, ...]
    weaknesses: tuple[str, ...] = ()
    policy_file: Annotated[str, msgspec.Meta(pattern=r"\A([0-9a-f]{64})?\Z")] = ""


class VerificationSummary(Wire):
    """The predicate of a verdict."""

    verifier: Verifier
    time_verified: str
    resource_uri: str
    policy: DigestedResource
    input_attestations: tuple[DigestedResource, ...]
    verification_result: Literal["PASSED", "FAILED"]
    verified_levels: tuple[str, ...]
    slsa_version: str
    detail: VerdictDetail = msgspec.field(name=DETAIL_FIELD)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict whose signature, subject and times hold."""

    model: Digest
    manifest: ManifestDigest | None
    """The model's image, when the verdict is about that too."""
    result: VerdictResult
    policy_name: str
    policy_digest: str
    time: datetime
    valid_until: datetime
    trust_version: int
    signer: str
    summary: VerificationSummary

    @property
    def policy_digests(self) -> tuple[str, ...]:
        """Return the digests by which somebody may name the policy: of what it asks for, and of its file."""
        file = self.summary.detail.policy_file
        return (self.policy_digest, file) if file else (self.policy_digest,)

    @property
    def mode(self) -> str:
        """Return the mode of the policy that it was judged by."""
        return self.summary.detail.mode

    @property
    def weaknesses(self) -> tuple[str, ...]:
        """Return what is weak about it, one sentence each; whoever shows it has to say so."""
        said = self.summary.detail.weaknesses
        return said or tuple(f"nothing binds the {TITLES[item.role]} {clean(item.name)}" for item in self.unbound)

    @property
    def unbound(self) -> tuple[InputSummary, ...]:
        """Return the inputs that nothing bound. A verdict that has any releases no pod where a policy enforces."""
        found = (item for requirement in self.summary.detail.requirements for item in requirement.inputs)
        return tuple(item for item in found if item.bond is Bond.UNBOUND)
