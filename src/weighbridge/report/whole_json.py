"""The JSON of a whole report: the verdict, and the report of every check with what its signature is worth."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from weighbridge._struct import Wire
from weighbridge.report.check_json import ModelDigest, ReportSubject, check_report, write_json
from weighbridge.report.interface import EvidenceView, ReportInput, Result, Signature, State, VerdictView


class PolicyReference(Wire):
    """The policy that was applied."""

    name: str
    digest: str


class TrustReference(Wire):
    """The trust document that was used."""

    name: str
    version: int


class RequirementReport(Wire):
    """One requirement and what became of it."""

    check: str
    state: State
    reason: str
    remedy: str
    line: int | None
    waived: tuple[str, ...]
    inputs: tuple[str, ...]
    notes: tuple[str, ...]


class VerdictReport(Wire, omit_defaults=True):
    """What the gate decided."""

    verdict: Result
    policy: PolicyReference
    trust: TrustReference
    time_verified: str
    valid_until: str
    signed_by: str | None
    requirements: tuple[RequirementReport, ...]
    problems: tuple[str, ...]
    weaknesses: tuple[str, ...]
    signed_key: str = ""


class EvidenceReport(Wire, omit_defaults=True):
    """One file of evidence. ``report`` is what ``schema`` inside it says."""

    source: str
    signature: Signature
    signer: str | None
    why: str
    report: dict[str, Any]
    key: str = ""


class AsideReport(Wire):
    """One file of evidence of this model that nobody asked for, such as an older run, and why."""

    source: str
    check: str
    signature: Signature
    signer: str | None
    finished: str
    why: str


class RejectedReport(Wire):
    """One file that does not count."""

    source: str
    reason: str
    remedy: str


class WholeReport(Wire, omit_defaults=True):
    """Everything about one model."""

    schema: Literal["weighbridge.dev/report/v1"]
    subject: ReportSubject
    verdict: VerdictReport | None
    evidence: tuple[EvidenceReport, ...]
    rejected: tuple[RejectedReport, ...]
    aside: tuple[AsideReport, ...] = ()


def render(report: ReportInput, /) -> str:
    """Return the whole report as JSON; its schema is ``docs/schemas/report-v1.json``."""
    return write_json(
        WholeReport(
            schema="weighbridge.dev/report/v1",
            subject=ReportSubject(name=report.model, digest=ModelDigest(dir_hash=report.digest.hex)),
            verdict=_verdict(report.verdict) if report.verdict else None,
            evidence=tuple(_evidence(item, report) for item in report.evidence),
            rejected=tuple(
                RejectedReport(source=item.source, reason=item.reason, remedy=item.remedy) for item in report.rejected
            ),
            aside=tuple(
                AsideReport(
                    source=item.source,
                    check=item.record.check.value,
                    signature=item.signature,
                    signer=item.signer,
                    finished=item.record.finished,
                    why=item.why,
                )
                for item in report.aside
            ),
        )
    )


def _verdict(view: VerdictView) -> VerdictReport:
    return VerdictReport(
        verdict=view.verdict,
        policy=PolicyReference(name=view.policy_name, digest=view.policy_digest),
        trust=TrustReference(name=view.trust_name, version=view.trust_version),
        time_verified=view.time_verified,
        valid_until=view.valid_until,
        signed_by=view.signed_by,
        requirements=tuple(
            RequirementReport(
                check=item.check.value,
                state=item.state,
                reason=item.reason,
                remedy=item.remedy,
                line=item.line,
                waived=item.waived,
                inputs=item.inputs,
                notes=item.notes,
            )
            for item in view.requirements
        ),
        problems=view.problems,
        weaknesses=view.weaknesses,
        signed_key=view.signed_key or "",
    )


def _evidence(view: EvidenceView, report: ReportInput) -> EvidenceReport:
    plain = msgspec.to_builtins(check_report(view.record, model=report.model, digest=report.digest))
    return EvidenceReport(
        source=view.source,
        signature=view.signature,
        signer=view.signer,
        why=view.why,
        report=plain,
        key=view.key or "",
    )
