"""Resets of tries: an approver says that what a check measured before an instant no longer counts as a try."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta

from weighbridge import _json
from weighbridge._struct import Wire
from weighbridge.clock import format_instant
from weighbridge.evidence.bundle import write_bundle
from weighbridge.evidence.keys import PublicKey, Signer
from weighbridge.evidence.record import CheckName
from weighbridge.evidence.statement import STATEMENT_TYPE, Statement, Subject

TRIES_RESET: Final = "https://weighbridge.dev/tries-reset/v1"
"""Predicate type of a reset."""


class ResetPredicate(Wire):
    """Which check's tries are forgiven, up to when, and why."""

    check: CheckName
    time: Annotated[str, Meta(max_length=40)]
    reason: Annotated[str, Meta(min_length=1, max_length=1024)]


@dataclass(frozen=True, slots=True)
class TriesReset:
    """A reset that a trusted approver signed."""

    file: str
    check: CheckName
    time: datetime
    reason: str
    key: PublicKey


def sign_reset(check: CheckName, *, reason: str, signer: Signer, now: datetime) -> bytes:
    """Forgive the tries of a check up to now, and return the bundle's bytes."""
    # A statement needs a subject; what is forgiven belongs to no model.
    subject = Subject(name=f"tries of {check}", digest={"sha256": hashlib.sha256(check.value.encode()).hexdigest()})
    predicate = ResetPredicate(check=check, time=format_instant(now), reason=reason)
    statement = Statement(
        type=STATEMENT_TYPE, subject=(subject,), predicate_type=TRIES_RESET, predicate=_json.plain(predicate)
    )
    return write_bundle(statement.encode(), signer=signer)


def read_reset(statement: Statement, *, what: str) -> ResetPredicate:
    """Return what a reset says.

    Raises:
        ParseError: When it is not what its type says.
    """
    return _json.convert(statement.predicate, ResetPredicate, what=f"the predicate in {what}")
