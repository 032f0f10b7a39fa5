"""Resets of tries: an approver says of some evidence that it no longer counts as a try.

A reset names what it forgives. One that named a check and an instant alone would forgive wherever it is copied to.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta

from weighbridge import _json
from weighbridge._struct import Wire
from weighbridge.clock import format_instant
from weighbridge.errors import UsageError, WeighbridgeError
from weighbridge.evidence.bundle import read_bundle, write_bundle
from weighbridge.evidence.keys import PublicKey, Signer
from weighbridge.evidence.predicates import is_check_predicate, record_of
from weighbridge.evidence.record import CheckName
from weighbridge.evidence.statement import STATEMENT_TYPE, Statement, Subject
from weighbridge.evidence.store import StoredFile

TRIES_RESET: Final = "https://weighbridge.dev/tries-reset/v1"
"""Predicate type of a reset."""


MAX_FORGIVEN: Final = 10_000
"""Most pieces of evidence that one reset names."""

Sha256 = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class ResetPredicate(Wire):
    """Which tries of a check are forgiven, when, and why. ``evidence`` has the sha256 of each statement."""

    check: CheckName
    evidence: Annotated[tuple[Sha256, ...], Meta(min_length=1, max_length=MAX_FORGIVEN)]
    time: Annotated[str, Meta(max_length=40)]
    reason: Annotated[str, Meta(min_length=1, max_length=1024)]


@dataclass(frozen=True, slots=True)
class TriesReset:
    """A reset that a trusted approver signed."""

    file: str
    check: CheckName
    evidence: frozenset[str]
    time: datetime
    reason: str
    key: PublicKey


def sign_reset(check: CheckName, *, evidence: Collection[str], reason: str, signer: Signer, now: datetime) -> bytes:
    """Forgive tries of a check, by the sha256 of their statements, and return the bundle's bytes.

    Raises:
        UsageError: When there is none to forgive, or more than one reset can name.
    """
    if not 1 <= len(evidence) <= MAX_FORGIVEN:
        raise UsageError(
            f"{len(evidence)} tries of {check} would be forgiven; one reset names 1 to {MAX_FORGIVEN}",
            remedy="name the directory in which evidence of the tries lies",
        )
    # A statement needs a subject; what is forgiven belongs to no model.
    subject = Subject(name=f"tries of {check}", digest={"sha256": hashlib.sha256(check.value.encode()).hexdigest()})
    predicate = ResetPredicate(check=check, evidence=tuple(sorted(evidence)), time=format_instant(now), reason=reason)
    statement = Statement(
        type=STATEMENT_TYPE, subject=(subject,), predicate_type=TRIES_RESET, predicate=_json.plain(predicate)
    )
    return write_bundle(statement.encode(), signer=signer)


def tries_in(files: Iterable[StoredFile], *, check: CheckName) -> frozenset[str]:
    """Return the sha256 of each statement of a check among files of evidence, verified or not.

    Nothing is verified: to forgive what would not count anyway does nothing.
    """
    found = set()
    for file in files:
        with contextlib.suppress(WeighbridgeError):
            statement = Statement.parse(read_bundle(file.data, what=file.name).content(), what=file.name)
            of_a_check = is_check_predicate(statement.predicate_type)
            if of_a_check and record_of(statement, what=file.name).check is check:
                found.add(statement.sha256)
    return frozenset(found)


def read_reset(statement: Statement, *, what: str) -> ResetPredicate:
    """Return what a reset says.

    Raises:
        ParseError: When it is not what its type says.
    """
    return _json.convert(statement.predicate, ResetPredicate, what=f"the predicate in {what}")
