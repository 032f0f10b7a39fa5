"""The verdict as a SLSA Verification Summary: written by the gate, verified by whoever loads the model.

Specification: https://slsa.dev/spec/v1.0/verification_summary
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from weighbridge import _json
from weighbridge._struct import Wire
from weighbridge.clock import MAX_SKEW, format_instant, parse_instant
from weighbridge.errors import ParseError, VerificationError
from weighbridge.evidence.bundle import read_bundle, write_bundle
from weighbridge.evidence.dsse import verify_envelope
from weighbridge.evidence.keys import Signer
from weighbridge.evidence.statement import Statement
from weighbridge.gate.decision import Decision, VerdictResult
from weighbridge.model.digest import Digest, ManifestDigest
from weighbridge.trust import VERDICT, Trust

VSA: Final = "https://slsa.dev/verification_summary/v1"
VERIFIER_ID: Final = "https://weighbridge.dev/gate"
LEVEL: Final = "WEIGHBRIDGE_POLICY"
"""The one level that a passed verdict states: the named policy held."""

MAX_REASON: Final = 400
"""Characters of a verdict's own reasons that a refusal repeats; the gate's report has all."""

DETAIL_FIELD: Final = "weighbridge.dev/verdict/v1"
"""Name of the field that holds what a VSA has no field for."""

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class Verifier(Wire):
    """Who verified, with which version."""

    id: str
    version: dict[str, str]


class DigestedResource(Wire, omit_defaults=True):
    """A policy or attestation by digest."""

    digest: dict[str, str]
    uri: str = ""


class RequirementSummary(Wire, omit_defaults=True):
    """What became of one requirement, and the ids of the keys that signed the evidence it rests on."""

    check: str
    result: VerdictResult
    reason: str
    keys: tuple[str, ...] = ()
    waived: tuple[str, ...] = ()


class TrustReference(Wire):
    """The trust document that was used."""

    name: str
    version: int
    sha256: str


class VerdictDetail(Wire):
    """Result in three values, the trust used, until when it is valid, and every requirement."""

    result: VerdictResult
    policy: str
    mode: Literal["audit", "warn", "enforce"]
    trust: TrustReference
    valid_until: str
    requirements: tuple[RequirementSummary, ...]
    problems: tuple[str, ...]


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


def write_verdict(
    decision: Decision, *, name: str, version: str, signer: Signer, manifest: ManifestDigest | None = None
) -> bytes:
    """Sign a decision as one bundle. A decision that did not pass is written as FAILED, never left out.

    With ``manifest``, which must come from the same read as the decision's digest, pods may name the model's image.
    """
    statement = Statement.about(
        decision.model, name=name, predicate_type=VSA, predicate=_summary(decision, version=version), manifest=manifest
    )
    return write_bundle(statement.encode(), signer=signer)


def _summary(decision: Decision, *, version: str) -> VerificationSummary:
    passed = decision.result is VerdictResult.PASSED
    evidence = {item.sha256: item for outcome in decision.outcomes for item in outcome.evidence}
    return VerificationSummary(
        verifier=Verifier(id=VERIFIER_ID, version={"weighbridge": version}),
        time_verified=format_instant(decision.time),
        resource_uri=str(decision.model),
        policy=DigestedResource(uri=decision.policy.name, digest={"sha256": decision.policy.digest}),
        input_attestations=tuple(DigestedResource(digest={"sha256": item}) for item in sorted(evidence)),
        verification_result="PASSED" if passed else "FAILED",
        verified_levels=(LEVEL,) if passed else (),
        slsa_version="1.0",
        detail=VerdictDetail(
            result=decision.result,
            policy=decision.policy.name,
            mode=decision.policy.mode,
            trust=TrustReference(
                name=decision.trust.name, version=decision.trust.version, sha256=decision.trust.digest
            ),
            valid_until=format_instant(decision.valid_until),
            requirements=tuple(
                RequirementSummary(
                    check=outcome.check.value,
                    result=outcome.result,
                    reason=outcome.reason,
                    keys=tuple(sorted({item.key.id for item in outcome.evidence})),
                    waived=outcome.waived,
                )
                for outcome in decision.outcomes
            ),
            problems=tuple(problem.reason for problem in decision.problems),
        ),
    )


def verify_verdict(
    data: bytes, *, model: Digest, trust: Trust, now: datetime, what: str, policy_digest: str | None = None
) -> Verdict:
    """Verify a verdict about a model whose digest was just computed, and return it when it passed.

    Args:
        data: The bundle's bytes.
        model: The digest of the bytes that are about to be loaded.
        trust: Who may sign verdicts.
        now: The present.
        what: What the bytes are, for messages.
        policy_digest: When given, the verdict must have been judged by exactly this policy.

    Raises:
        ParseError: When the bytes are not a verdict.
        TrustError: When the trust document has expired.
        VerificationError: When the signature, the signer's role, the subject or the times do not hold, when the
            model, the policy or a key that signed the verdict or its evidence is revoked, or when the verdict is not
            passed.
    """
    verdict = authenticate_verdict(data, model=model, trust=trust, now=now, what=what)
    for demand in DEMANDS.values():
        demand(verdict, trust, now)
    _require_policy_digest(verdict, policy_digest)
    return verdict


def authenticate_verdict(data: bytes, *, model: Digest, trust: Trust, now: datetime, what: str) -> Verdict:
    """Return a verdict that a trusted verifier signed about this model, whatever it says and however old it is.

    Nothing may be loaded for it alone: every one of ``DEMANDS`` has to hold as well. Whoever has several verdicts
    needs the newest authentic one, passed or not, before asking for more.

    Raises:
        ParseError: When the bytes are not a verdict.
        TrustError: When the trust document has expired.
        VerificationError: When the signature, the signer's role or the subject does not hold.
    """
    trust.require_current(now)
    envelope = read_bundle(data, what=what)
    key = verify_envelope(envelope, keys=tuple(trusted.key for trusted in trust.keys))
    statement = Statement.parse(envelope.content(), what=f"the statement in {what}")
    if statement.predicate_type != VSA:
        raise VerificationError(
            f"{what} is no verdict: its predicate is {statement.predicate_type}",
            remedy="give the file that `weighbridge gate` wrote",
        )
    role = trust.role_of(key, signs=VERDICT, now=now)
    statement.require_subject(
        model, what="the verdict", remedy="get the bytes that were judged, or judge these with the gate"
    )
    summary = _json.convert(statement.predicate, VerificationSummary, what=f"the predicate in {what}")
    return _verdict(summary, model, statement.manifest(), role.role)


def _verdict(summary: VerificationSummary, model: Digest, manifest: ManifestDigest | None, signer: str) -> Verdict:
    digest = summary.policy.digest.get("sha256", "")
    if _SHA256.fullmatch(digest) is None:
        # In another spelling a revoked policy would not be recognised.
        raise ParseError("the verdict does not name its policy by sha256 in 64 lower-case hex digits")
    if summary.resource_uri != str(model):
        raise VerificationError(
            f"the verdict is for {summary.resource_uri}, not for {model}", remedy="judge this model with the gate"
        )
    passed = summary.detail.result is VerdictResult.PASSED
    if (summary.verification_result == "PASSED") != passed or (LEVEL in summary.verified_levels) != passed:
        raise VerificationError("the verdict contradicts itself: passed in one field, not in another")
    return Verdict(
        model=model,
        manifest=manifest,
        result=summary.detail.result,
        policy_name=summary.detail.policy,
        policy_digest=digest,
        time=parse_instant(summary.time_verified, what="timeVerified"),
        valid_until=parse_instant(summary.detail.valid_until, what="validUntil"),
        trust_version=summary.detail.trust.version,
        signer=signer,
        summary=summary,
    )


def _require_times(verdict: Verdict, _: Trust, now: datetime) -> None:
    if verdict.time > now + MAX_SKEW:
        raise VerificationError(
            f"the verdict was made at {format_instant(verdict.time)}, in the future of {format_instant(now)}",
            remedy="correct this machine's clock",
        )
    if now > verdict.valid_until:
        raise VerificationError(
            f"the verdict was valid until {format_instant(verdict.valid_until)}", remedy="judge the model again"
        )


def _require_model(verdict: Verdict, trust: Trust, _: datetime) -> None:
    trust.require_model(verdict.model)


def _require_listed(verdict: Verdict, trust: Trust, _: datetime) -> None:
    trust.require_listed_policy(verdict.policy_digest)


def _require_policy(verdict: Verdict, trust: Trust, _: datetime) -> None:
    trust.require_unrevoked_policy(verdict.policy_digest)


def _require_keys(verdict: Verdict, trust: Trust, _: datetime) -> None:
    for requirement in verdict.summary.detail.requirements:
        for key_id in requirement.keys:
            trust.require_key(key_id)


def _require_version(verdict: Verdict, trust: Trust, _: datetime) -> None:
    if trust.version < verdict.trust_version:
        raise VerificationError(
            f"the trust document has version {trust.version}; the verdict was made under version "
            f"{verdict.trust_version}, so this one is outdated",
            remedy="get the current trust document",
        )


def _require_policy_digest(verdict: Verdict, policy_digest: str | None) -> None:
    if policy_digest is not None and policy_digest != verdict.policy_digest:
        raise VerificationError(
            f"the verdict was judged by the policy sha256:{verdict.policy_digest}, not by sha256:{policy_digest}",
            remedy="judge the model again by this policy",
        )


def _require_passed(verdict: Verdict, _: Trust, __: datetime) -> None:
    detail = verdict.summary.detail
    reasons = [item.reason for item in detail.requirements if item.result is not VerdictResult.PASSED]
    reasons += [
        f"{item.check} rests on no key"
        for item in detail.requirements
        if item.result is VerdictResult.PASSED and not item.keys
    ]
    reasons += detail.problems
    # A verdict that says passed must follow from what it lists: every requirement, at least one, and no problem.
    if verdict.result is not VerdictResult.PASSED or reasons or not detail.requirements:
        raise VerificationError(
            f"the verdict is {verdict.result}: {_cut('; '.join(reasons)) or 'no reason given'}",
            remedy="do what the gate's report says and judge again",
        )


DEMANDS: Final[Mapping[str, Callable[[Verdict, Trust, datetime], None]]] = MappingProxyType(
    {
        "times": _require_times,
        "model": _require_model,
        "policy-listed": _require_listed,
        "policy": _require_policy,
        "keys": _require_keys,
        "trust-version": _require_version,
        "result": _require_passed,
    }
)
"""What must hold of an authentic verdict, by name and in this order; each raises ``VerificationError``."""


def _cut(text: str) -> str:
    return text if len(text) <= MAX_REASON else f"{text[:MAX_REASON]} ..."
