"""Sort files of evidence into those that count for one model and those that do not, with the reason."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from weighbridge.clock import MAX_SKEW, format_instant, parse_instant
from weighbridge.errors import InputError, VerificationError, WeighbridgeError
from weighbridge.evidence.bundle import read_bundle
from weighbridge.evidence.dsse import verify_envelope
from weighbridge.evidence.keys import PublicKey
from weighbridge.evidence.measurements import DependencyAuditMeasurements
from weighbridge.evidence.predicates import is_check_predicate, record_of
from weighbridge.evidence.record import CheckName
from weighbridge.evidence.statement import Statement
from weighbridge.evidence.store import StoredFile
from weighbridge.gate.decision import Evidence, Rejected
from weighbridge.gate.mismatch import claimed_model, naming_files, recorded_files
from weighbridge.model.digest import Digest, ModelFiles
from weighbridge.trust import Trust

MAX_DATE_AHEAD: Final = timedelta(days=2)
"""How far in the future the date of advisories may lie: a date means the end of its day, and east of UTC that day
begins earlier."""


def admit_evidence(
    files: Iterable[StoredFile], *, model: Digest, trust: Trust, now: datetime, present: ModelFiles | None = None
) -> tuple[tuple[Evidence, ...], tuple[Rejected, ...]]:
    """Verify every file and return the evidence that counts, and what does not count and why.

    A file counts when a key signed it whose role may sign that check now, when it is about this model and no other,
    and when neither it nor its advisories come from the future. Statements of other types (a bill of materials, a
    verdict) are passed over in silence. With ``present``, the model's files, evidence of another model is rejected
    with the names of the files that differ.
    """
    accepted: list[Evidence] = []
    rejected: list[Rejected] = []
    for file in files:
        try:
            if file.problem:
                raise InputError(file.problem)
            evidence = verify_evidence(file, model=model, trust=trust, now=now, present=present)
        except WeighbridgeError as error:
            rejected.append(Rejected(file.name, error.message, error.remedy, _claim(file)))
            continue
        if evidence is not None:
            accepted.append(evidence)
    return tuple(accepted), tuple(rejected)


def verify_evidence(
    file: StoredFile, *, model: Digest, trust: Trust, now: datetime, present: ModelFiles | None = None
) -> Evidence | None:
    """Verify one file; None for a statement that is well signed but not evidence of a check.

    Raises:
        ParseError: When the bytes are not what they must be.
        VerificationError: When signature, role, subject or time do not hold.
    """
    envelope = read_bundle(file.data, what=file.name)
    key = verify_envelope(envelope, keys=tuple(trusted.key for trusted in trust.keys))
    statement = Statement.parse(envelope.content(), what=f"the statement in {file.name}")
    if not is_check_predicate(statement.predicate_type):
        return None
    try:
        statement.require_subject(model)
    except VerificationError as error:
        raise _explained(error, file, statement, key, present=present, trust=trust, now=now) from None
    record = record_of(statement, what=f"the predicate in {file.name}")
    role = trust.role_of(key, signs=record.check.value, now=now)
    finished = parse_instant(record.finished, what="finished")
    _require_past(finished, now + MAX_SKEW, what="it was made")
    if isinstance(record.measurements, DependencyAuditMeasurements):
        built = parse_instant(record.measurements.database.built, what="the date of its advisories")
        _require_past(built, now + MAX_DATE_AHEAD, what="its advisories were built")
    return Evidence(
        file=file.name,
        sha256=hashlib.sha256(file.data).hexdigest(),
        record=record,
        finished=finished,
        key=key,
        role=role.role,
    )


def _explained(
    error: VerificationError,
    file: StoredFile,
    statement: Statement,
    key: PublicKey,
    *,
    present: ModelFiles | None,
    trust: Trust,
    now: datetime,
) -> VerificationError:
    claimed = claimed_model(statement)
    if present is None or claimed is None or claimed == present.digest:
        return error
    try:
        record = record_of(statement, what=f"the predicate in {file.name}")
        trust.role_of(key, signs=record.check.value, now=now)
    except WeighbridgeError:
        return error  # what nobody trusted says about files is not repeated
    judged = recorded_files(record, model=claimed)
    return naming_files(error, judged=judged, present=present) if judged is not None else error


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
