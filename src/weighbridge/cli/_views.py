"""Turn what the gate and the checks found into the values that reports are made from."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path, PurePath

from weighbridge.clock import format_instant
from weighbridge.errors import WeighbridgeError
from weighbridge.evidence.bundle import read_bundle
from weighbridge.evidence.predicates import is_check_predicate, record_of
from weighbridge.evidence.record import CheckRecord
from weighbridge.evidence.statement import Statement
from weighbridge.evidence.store import StoredFile
from weighbridge.gate.decision import TITLES, Bond, BoundInput, Decision, Evidence, Rejected, VerdictResult
from weighbridge.model.digest import Digest
from weighbridge.report.interface import (
    EvidenceView,
    Place,
    RejectedView,
    ReportInput,
    RequirementView,
    State,
    VerdictView,
)

_STATES: dict[VerdictResult, State] = {
    VerdictResult.PASSED: "satisfied",
    VerdictResult.FAILED: "failed",
    VerdictResult.UNDECIDED: "undecided",
}


def place_of(model: Path) -> Place | None:
    """Return where the model lies beneath the current directory; None when it lies elsewhere or is none."""
    if not model.exists():
        return None
    relative = PurePath(os.path.relpath(os.path.abspath(model)))
    if relative.is_absolute() or ".." in relative.parts:
        return None
    base = relative if model.is_dir() else relative.parent
    return Place(*("" if path == PurePath(".") else path.as_posix() for path in (relative, base)))


def of_record(
    record: CheckRecord, *, model: str, digest: Digest, signer: str | None, source: str, place: Place | None = None
) -> ReportInput:
    """Make the report value of one check that has just run."""
    why = "" if signer else "it was not signed"
    view = EvidenceView(
        record=record, signature="verified" if signer else "unverified", source=source, signer=signer, why=why
    )
    return ReportInput(model=model, digest=digest, evidence=(view,), place=place)


def of_decision(
    decision: Decision,
    *,
    model: str,
    files: Iterable[StoredFile],
    signed_by: str | None,
    place: Place | None = None,
) -> ReportInput:
    """Make the report value of a decision and of every file it looked at."""
    used = {item.file: item for outcome in decision.outcomes for item in outcome.evidence}
    rejected = {item.file: item for item in decision.rejected}
    views: list[EvidenceView] = []
    unread: list[RejectedView] = []
    for file in files:
        _sort(file, used.get(file.name), rejected.get(file.name), decision.model, views, unread)
    return ReportInput(
        model=model,
        digest=decision.model,
        evidence=tuple(views),
        verdict=verdict_view(decision, signed_by=signed_by),
        rejected=tuple(unread),
        place=place,
    )


def of_evidence(files: Iterable[StoredFile], *, model: str, digest: Digest, place: Place | None = None) -> ReportInput:
    """Make the report value of evidence that nobody verified, for one model."""
    views: list[EvidenceView] = []
    unread: list[RejectedView] = []
    for file in files:
        _sort(file, None, None, digest, views, unread)
    return ReportInput(model=model, digest=digest, evidence=tuple(views), rejected=tuple(unread), place=place)


def verdict_view(decision: Decision, *, signed_by: str | None) -> VerdictView:
    """Make the view of a decision."""
    return VerdictView(
        verdict=decision.result.value,
        policy_name=decision.policy.name,
        policy_digest=decision.policy.digest,
        trust_name=decision.trust.name,
        trust_version=decision.trust.version,
        time_verified=format_instant(decision.time),
        valid_until=format_instant(decision.valid_until),
        requirements=tuple(
            RequirementView(
                check=outcome.check,
                state=_STATES[outcome.result],
                reason=outcome.reason,
                remedy=outcome.remedy,
                line=outcome.line,
                waived=outcome.waived,
                inputs=tuple(_said_of(item) for item in outcome.inputs),
                notes=outcome.notes,
            )
            for outcome in decision.outcomes
        ),
        signed_by=signed_by,
        problems=tuple(
            f"{problem.reason}; next step: {problem.remedy}" if problem.remedy else problem.reason
            for problem in decision.problems
        ),
        policy_mode=decision.policy.mode,
        weaknesses=decision.weaknesses,
    )


def _said_of(item: BoundInput) -> str:
    """Say in one sentence what a check was done on and what binds it."""
    what = f"{TITLES[item.role]} {item.input.name} sha256:{item.input.sha256}"
    match item.bond:
        case Bond.DIGEST:
            return f"{what}: named by the policy"
        case Bond.SIGNED:
            return f"{what}: signed by {item.by}"
        case Bond.REQUESTER:
            return f"{what}: supplied by {item.by}, who asked"
        case Bond.UNBOUND:
            return f"{what}: UNBOUND"


def _sort(
    file: StoredFile,
    used: Evidence | None,
    rejected: Rejected | None,
    digest: Digest,
    views: list[EvidenceView],
    unread: list[RejectedView],
) -> None:
    if used is not None:
        views.append(EvidenceView(record=used.record, signature="verified", source=file.name, signer=used.role))
        return
    try:
        record = _peek(file, digest)
    except WeighbridgeError as error:
        found = rejected or Rejected(file.name, file.problem or error.message, error.remedy)
        unread.append(RejectedView(source=file.name, reason=found.reason, remedy=found.remedy))
        return
    if record is None:
        return
    if rejected is not None:
        views.append(EvidenceView(record=record, signature="invalid", source=file.name, why=rejected.reason))
    else:
        why = "it does not count: there is newer evidence, or its signer is not one the policy names"
        views.append(EvidenceView(record=record, signature="unverified", source=file.name, why=why))


def _peek(file: StoredFile, digest: Digest) -> CheckRecord | None:
    """Read a record without believing it; None for a statement of another type."""
    statement = Statement.parse(read_bundle(file.data, what=file.name).content(), what=file.name)
    if not is_check_predicate(statement.predicate_type):
        return None
    statement.require_subject(digest)
    return record_of(statement, what=file.name)
