"""Turn what the gate and the checks found into the values that reports are made from."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Final

from weighbridge.clock import format_instant, parse_instant
from weighbridge.errors import ParseError, WeighbridgeError
from weighbridge.evidence.bundle import read_bundle
from weighbridge.evidence.predicates import is_check_predicate, record_of
from weighbridge.evidence.record import CheckName, CheckRecord
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

OLDER: Final = "older, not asked"
"""Why evidence of a check stands aside when there is newer."""

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
    """Make the report value of one check that has just run; ``signer`` is the fingerprint of the key that signed it."""
    why = "" if signer else "it was not signed"
    view = EvidenceView(
        record=record,
        signature="verified" if signer else "unverified",
        source=source,
        signer=signer,
        why=why,
        key=signer,
    )
    return ReportInput(model=model, digest=digest, evidence=(view,), place=place)


def of_decision(
    decision: Decision,
    *,
    model: str,
    files: Iterable[StoredFile],
    signed_by: str | None,
    signed_key: str | None = None,
    place: Place | None = None,
) -> ReportInput:
    """Make the report value of a decision: what it rests on, what nobody asked for, and what does not count."""
    used = {item.file: item for outcome in decision.outcomes for item in outcome.evidence}
    aside = {item.file: item for item in decision.aside}
    rejected = {item.file: item for item in decision.rejected}
    shown: list[EvidenceView] = []
    older: list[EvidenceView] = []
    unread: list[RejectedView] = []
    for file in files:
        if (item := used.get(file.name)) is not None:
            shown.append(_verified(item))
        elif (item := aside.get(file.name)) is not None:
            # A failure that stands decides about the model, however old it is.
            standing = any(item.file in outcome.reason for outcome in decision.outcomes)
            (shown if standing else older).append(_verified(item, why=_why_aside(item, decision)))
        elif (view := _peeked(file, rejected.get(file.name), decision.model)) is not None:
            if isinstance(view, EvidenceView):
                shown.append(view)
            else:
                unread.append(view)
    return ReportInput(
        model=model,
        digest=decision.model,
        evidence=tuple(shown),
        verdict=verdict_view(decision, signed_by=signed_by, signed_key=signed_key),
        rejected=tuple(unread),
        place=place,
        aside=tuple(older),
    )


def of_evidence(files: Iterable[StoredFile], *, model: str, digest: Digest, place: Place | None = None) -> ReportInput:
    """Make the report value of evidence that nobody verified, for one model: the newest of each check, then the rest.

    What ended at the same instant is equally new.
    """
    found = [_peeked(file, None, digest) for file in files]
    views = [view for view in found if isinstance(view, EvidenceView)]
    newest = {check: max(_ended(view) for view in views if view.record.check is check) for check in _checks_of(views)}
    is_newest = [_ended(view) == newest[view.record.check] for view in views]
    older = (replace(view, why=OLDER) for view, new in zip(views, is_newest, strict=True) if not new)
    return ReportInput(
        model=model,
        digest=digest,
        evidence=tuple(view for view, new in zip(views, is_newest, strict=True) if new),
        rejected=tuple(view for view in found if isinstance(view, RejectedView)),
        place=place,
        aside=tuple(older),
    )


def verdict_view(decision: Decision, *, signed_by: str | None, signed_key: str | None = None) -> VerdictView:
    """Make the view of a decision, with the role and the fingerprint of the key that signed it."""
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
        signed_key=signed_key,
        policy_file=PurePath(decision.policy.file).name,
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


def _verified(item: Evidence, *, why: str = "") -> EvidenceView:
    return EvidenceView(
        record=item.record, signature="verified", source=item.file, signer=item.role, why=why, key=item.key.id
    )


def _why_aside(item: Evidence, decision: Decision) -> str:
    asked = [requirement for requirement in decision.policy.requirements if requirement.check is item.record.check]
    if not asked:
        return "not asked: the policy does not name this check"
    signers = sorted({name for requirement in asked for name in requirement.spec.signers})
    if item.signed_as(signers) is None:
        return f"not asked: it is signed by {item.role}, and the policy wants {', '.join(signers)}"
    return OLDER


def _checks_of(views: Iterable[EvidenceView]) -> set[CheckName]:
    return {view.record.check for view in views}


def _ended(view: EvidenceView) -> datetime:
    try:
        return parse_instant(view.record.finished, what="finished")
    except ParseError:
        return datetime.min.replace(tzinfo=UTC)


def _peeked(file: StoredFile, rejected: Rejected | None, digest: Digest) -> EvidenceView | RejectedView | None:
    """Make the view of a file that is not believed: its record where there is one, else why it cannot be read."""
    try:
        record = _peek(file, digest)
    except WeighbridgeError as error:
        found = rejected or Rejected(file.name, file.problem or error.message, error.remedy)
        return RejectedView(source=file.name, reason=found.reason, remedy=found.remedy)
    if record is None:
        return None
    if rejected is not None:
        return EvidenceView(record=record, signature="invalid", source=file.name, why=rejected.reason)
    return EvidenceView(
        record=record, signature="unverified", source=file.name, why="give --policy and --trust to check it"
    )


def _peek(file: StoredFile, digest: Digest) -> CheckRecord | None:
    """Read a record without believing it; None for a statement of another type."""
    statement = Statement.parse(read_bundle(file.data, what=file.name).content(), what=file.name)
    if not is_check_predicate(statement.predicate_type):
        return None
    statement.require_subject(digest)
    return record_of(statement, what=file.name)
