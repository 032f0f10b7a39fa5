"""Sort files of evidence: what counts for one model, what is about others, signed inputs, and what never counts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from weighbridge.clock import MAX_DATE_AHEAD, MAX_SKEW, format_instant, parse_instant
from weighbridge.errors import InputError, VerificationError, WeighbridgeError
from weighbridge.evidence.bundle import read_bundle
from weighbridge.evidence.dsse import verify_envelope
from weighbridge.evidence.inputs import INPUT as INPUT_TYPE
from weighbridge.evidence.inputs import SignedInput, read_input_statement
from weighbridge.evidence.keys import PublicKey
from weighbridge.evidence.measurements import DependencyAuditMeasurements
from weighbridge.evidence.predicates import is_check_predicate, record_of
from weighbridge.evidence.record import CheckName
from weighbridge.evidence.statement import Statement
from weighbridge.evidence.store import StoredFile
from weighbridge.evidence.tries import TRIES_RESET as RESET_TYPE
from weighbridge.evidence.tries import TriesReset, read_reset
from weighbridge.gate.decision import Evidence, Rejected
from weighbridge.gate.mismatch import naming_files, recorded_files
from weighbridge.model.digest import ALGORITHM, Digest, ModelFiles
from weighbridge.trust import INPUT, TRIES_RESET, RolesThen, Trust, TrustedKey


@dataclass(slots=True)
class SortedEvidence:
    """Every file by what it is.

    ``others`` is evidence of other models, whose tries count. ``ended`` is evidence of this model in roles that its key
    had when it was made and has no longer: it counts against the model and never for it, or whoever waits for the
    end of a key would be rid of a failure. What a key signed that goes on in another role is here in both ways.
    ``ended_inputs`` are inputs that were signed in such roles, for the same reason.
    """

    evidence: list[Evidence] = field(default_factory=list)
    ended: list[Evidence] = field(default_factory=list)
    others: list[Evidence] = field(default_factory=list)
    inputs: list[SignedInput] = field(default_factory=list)
    ended_inputs: list[SignedInput] = field(default_factory=list)
    resets: list[TriesReset] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)


def sort_evidence(
    files: Iterable[StoredFile], *, model: Digest, trust: Trust, now: datetime, present: ModelFiles | None = None
) -> SortedEvidence:
    """Verify every file and sort it; what does not count is there with its reason.

    Evidence counts when a key signed it whose role may sign that check now, when it is about this model and no other,
    and when neither it nor its advisories come from the future. Statements of other types (a bill of materials, a
    verdict) are passed over in silence. With ``present``, the model's files, evidence of another model is rejected
    with the names of the files that differ.
    """
    found = SortedEvidence()
    for file in files:
        try:
            if file.problem:
                raise InputError(file.problem)
            _sort(file, found, model=model, trust=trust, now=now, present=present)
        except WeighbridgeError as error:
            found.rejected.append(Rejected(file.name, error.message, error.remedy, _claim(file)))
    return found


def _sort(
    file: StoredFile,
    found: SortedEvidence,
    *,
    model: Digest,
    trust: Trust,
    now: datetime,
    present: ModelFiles | None,
) -> None:
    envelope = read_bundle(file.data, what=file.name)
    key = verify_envelope(envelope, keys=tuple(trusted.key for trusted in trust.keys))
    statement = Statement.parse(envelope.content(), what=f"the statement in {file.name}")
    if statement.predicate_type == INPUT_TYPE:
        signed, roles = _signed_input(file, statement, key, trust, now)
        found.inputs += _in_roles(signed, roles.now)
        found.ended_inputs += _in_roles(signed, roles.ended)
        if roles.why is not None:
            raise roles.why
    elif statement.predicate_type == RESET_TYPE:
        found.resets.append(_reset(file, statement, key, trust, now))
    elif is_check_predicate(statement.predicate_type):
        try:
            statement.require_subject(model)
        except VerificationError as error:
            if (other := _other_model(statement)) is None or other == model:
                raise
            # From here on it is trusted evidence of another model, whose word about its files may be repeated.
            evidence, roles = _evidence(file, statement, key, model=other, trust=trust, now=now)
            found.others += [*_as(evidence, roles.now), *_as(evidence, roles.ended)]
            if roles.why is not None:
                raise roles.why from None
            judged = recorded_files(evidence.record, model=other) if present is not None else None
            if judged is None or present is None:
                raise
            raise naming_files(error, judged=judged, present=present) from None
        evidence, roles = _evidence(file, statement, key, model=model, trust=trust, now=now)
        found.evidence += _as(evidence, roles.now)
        found.ended += _as(evidence, roles.ended)
        if roles.why is not None:
            raise roles.why


def _as(evidence: Evidence, roles: tuple[TrustedKey, ...]) -> list[Evidence]:
    return [replace(evidence, roles=roles)] if roles else []


def _in_roles(signed: SignedInput, roles: tuple[TrustedKey, ...]) -> list[SignedInput]:
    return [replace(signed, signers=tuple(role.role for role in roles))] if roles else []


def _evidence(
    file: StoredFile,
    statement: Statement,
    key: PublicKey,
    *,
    model: Digest,
    trust: Trust,
    now: datetime,
) -> tuple[Evidence, RolesThen]:
    record = record_of(statement, what=f"the predicate in {file.name}")
    finished = parse_instant(record.finished, what="finished")
    _require_past(finished, now + MAX_SKEW, what="it was made")
    if isinstance(record.measurements, DependencyAuditMeasurements):
        built = parse_instant(record.measurements.database.built, what="the date of its advisories")
        _require_past(built, now + MAX_DATE_AHEAD, what="its advisories were built")
    roles = trust.roles_then(key.id, signs=record.check.value, now=now, then=finished)
    evidence = Evidence(
        file=file.name,
        sha256=hashlib.sha256(file.data).hexdigest(),
        statement=statement.sha256,
        record=record,
        finished=finished,
        key=key,
        model=model,
        roles=(),
    )
    return evidence, roles


def _other_model(statement: Statement) -> Digest | None:
    """Return the one other model that a statement is about."""
    named = {subject.digest.get(ALGORITHM) for subject in statement.subject if ALGORITHM in subject.digest}
    if len(named) != 1:
        return None
    return Digest.parse(f"{ALGORITHM}:{named.pop()}")


def _signed_input(
    file: StoredFile, statement: Statement, key: PublicKey, trust: Trust, now: datetime
) -> tuple[SignedInput, RolesThen]:
    sha256, predicate = read_input_statement(statement, what=file.name)
    signed = parse_instant(predicate.signed, what="signed")
    _require_past(signed, now + MAX_SKEW, what="it was signed")
    roles = trust.roles_then(key.id, signs=INPUT + predicate.role.value, now=now, then=signed)
    found = SignedInput(
        file=file.name,
        role=predicate.role,
        sha256=sha256,
        signed=signed,
        key=key,
        signers=(),
        about=predicate.about,
    )
    return found, roles


def _reset(file: StoredFile, statement: Statement, key: PublicKey, trust: Trust, now: datetime) -> TriesReset:
    predicate = read_reset(statement, what=file.name)
    trust.role_of(key, signs=TRIES_RESET, now=now)
    time = parse_instant(predicate.time, what="time")
    # A reset of the future would count already while nobody has decided it.
    _require_past(time, now + MAX_SKEW, what="it was signed")
    return TriesReset(
        file=file.name,
        check=predicate.check,
        evidence=frozenset(predicate.evidence),
        time=time,
        reason=predicate.reason,
        key=key,
    )


def _require_past(instant: datetime, latest: datetime, *, what: str) -> None:
    # What comes from the future would stay fresh for ever.
    if instant > latest:
        raise VerificationError(
            f"{what} at {format_instant(instant)}, which is in the future",
            remedy="correct the clock of this machine or of the one that wrote the date, and run the check again",
        )


def _claim(file: StoredFile) -> CheckName | None:
    """Return the check that a rejected file says it is of, so that a refusal can name the file that was meant."""
    try:
        statement = Statement.parse(read_bundle(file.data, what=file.name).content(), what=file.name)
        return record_of(statement, what=file.name).check
    except WeighbridgeError:
        return None
