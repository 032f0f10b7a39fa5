"""The verdict as a SLSA Verification Summary: written by the gate, verified by whoever loads the model.

Specification: https://slsa.dev/spec/v1.0/verification_summary
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from weighbridge import _json
from weighbridge.clock import format_instant, parse_instant
from weighbridge.errors import ParseError, VerificationError
from weighbridge.evidence.bundle import read_bundle, write_bundle
from weighbridge.evidence.dsse import verify_envelope
from weighbridge.evidence.keys import Signer
from weighbridge.evidence.statement import Statement
from weighbridge.gate.decision import BoundInput, Decision, Evidence, VerdictResult
from weighbridge.gate.demands import DEMANDS, UnsafeAnyPolicy, require_named_policy
from weighbridge.gate.summary import (
    LEVEL,
    VERIFIER_ID,
    VSA,
    DigestedResource,
    InputSummary,
    KeyRole,
    RequirementSummary,
    TrustReference,
    Verdict,
    VerdictDetail,
    VerificationSummary,
    Verifier,
)
from weighbridge.model.digest import Digest, ManifestDigest
from weighbridge.policy import Policy
from weighbridge.trust import VERDICT, Trust

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


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
    evidence = {item.sha256 for outcome in decision.outcomes for item in outcome.rests_on}
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
                    keys=tuple(sorted({item.key.id for item in outcome.rests_on})),
                    roles=tuple(dict.fromkeys(_role(item) for item in outcome.rests_on)),
                    waived=outcome.waived,
                    inputs=tuple(_input(item) for item in outcome.inputs),
                    notes=outcome.notes,
                    resets=tuple(sorted({reset.key.id for reset in outcome.resets})),
                )
                for outcome in decision.outcomes
            ),
            problems=tuple(problem.reason for problem in decision.problems),
            weaknesses=decision.weaknesses,
            policy_file=decision.policy.file_digest,
        ),
    )


def _role(item: Evidence) -> KeyRole:
    return KeyRole(key=item.key.id, role=item.role, held_by=item.held_by)


def _input(item: BoundInput) -> InputSummary:
    return InputSummary(
        role=item.role,
        name=item.input.name,
        sha256=item.input.sha256,
        bond=item.bond,
        by=item.by,
        key="" if item.key is None else item.key.id,
    )


def verify_verdict(
    data: bytes, *, model: Digest, trust: Trust, now: datetime, what: str, policy: Policy | UnsafeAnyPolicy | None
) -> Verdict:
    """Verify a verdict about a model whose digest was just computed, and return it when it passed.

    Args:
        data: The bundle's bytes.
        model: The digest of the bytes that are about to be loaded.
        trust: Who may sign verdicts.
        now: The present.
        what: What the bytes are, for messages.
        policy: The policy that the verdict must have been judged by; None where the trust document lists those
            that count. Without either nothing says that the verdict's policy asks for anything.

    Raises:
        ParseError: When the bytes are not a verdict.
        TrustError: When the trust document has expired.
        VerificationError: When the signature, the signer's role, the subject or the times do not hold, when the
            model or the policy is revoked, when a key that signed the verdict, its evidence or its inputs may not sign
            that now, when neither the caller nor the trust document names the verdict's policy, or when the verdict is
            not passed.
    """
    verdict = authenticate_verdict(data, model=model, trust=trust, now=now, what=what)
    for demand in DEMANDS.values():
        demand(verdict, trust, now)
    require_named_policy(verdict, trust, policy)
    return verdict


def authenticate_verdict(data: bytes, *, model: Digest, trust: Trust, now: datetime, what: str) -> Verdict:
    """Return a verdict that a trusted verifier signed about this model, whatever it says and however old it is.

    The verifier's key must be valid now; for a verdict that did not pass, it is enough that it was when it judged.
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
    statement.require_subject(
        model, what="the verdict", remedy="get the bytes that were judged, or judge these with the gate"
    )
    summary = _json.convert(statement.predicate, VerificationSummary, what=f"the predicate in {what}")
    then = min(now, parse_instant(summary.time_verified, what="timeVerified"))
    roles = trust.roles_then(key.id, signs=VERDICT, now=now, then=then)
    # What speaks against a model does so after its key has ended; whoever waits for that must not be rid of it.
    if roles.why is not None and summary.detail.result is VerdictResult.PASSED:
        raise roles.why
    return _verdict(summary, model, statement.manifest(), (*roles.now, *roles.ended)[0].role)


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
