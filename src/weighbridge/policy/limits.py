"""The limits of each check, as types. How good a measurement has to be stands here and nowhere in evidence."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from weighbridge._struct import Wire
from weighbridge.evidence.record import Severity

Confidence = Annotated[float, Meta(ge=0.5, lt=1.0)]
"""How sure a bound must be. Below one half a "lower" bound lies above what was measured, so 0.05 meant for 0.95 would
turn the limit around."""

Rate = Annotated[float, Meta(gt=0.0, lt=1.0)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Span = Annotated[str, Meta(pattern="^[1-9][0-9]{0,4}[smhdw]$")]


class DependencyAuditLimits(Wire, omit_defaults=True):
    """Findings at ``severity`` or above fail; so do malware and unknown severity unless they are said to warn.

    ``database_max_age`` says the same as ``maxAge`` of the policy's ``inputs.advisories``; of two the shorter holds.
    """

    severity: Severity = Severity.HIGH
    unknown_severity: Literal["fail", "warn"] = "fail"
    malware: Literal["fail", "warn"] = "fail"
    database_max_age: Span | None = None


class ModelScanLimits(Wire, omit_defaults=True):
    """Findings at ``severity`` or above fail; what the scan could not judge refuses always."""

    severity: Severity = Severity.LOW


class AccuracyLimit(Wire, omit_defaults=True):
    """Accuracy under attack must be at least this, by an exact one-sided bound at this confidence."""

    at_least: Share
    confidence: Confidence = 0.95


class RobustnessLimits(Wire, omit_defaults=True):
    """The attack must have been at least this strong, and the model must have kept this accuracy.

    ``epsilon`` is a share of the range of the inputs. So many ``examples`` are attacked, or all when there are fewer,
    with so many ``queries`` each: whoever could choose these numbers could try until one passes.
    """

    norm: Literal["linf"]
    epsilon: Annotated[float, Meta(gt=0.0, le=1.0)]
    accuracy_under_attack: AccuracyLimit
    examples: Annotated[int, Meta(ge=1, le=100_000)] = 200
    queries: Annotated[int, Meta(ge=10, le=1_000_000)] = 1_000


class MembershipLimit(Wire, omit_defaults=True):
    """The attack's true-positive rate at this false-positive rate is at most this, at this confidence."""

    tpr_at_fpr: Rate
    at_most: Share
    confidence: Confidence = 0.95


class LeakageLimits(Wire, omit_defaults=True):
    """Bounds on membership inference, and the number of training rows that the artifact may hold."""

    membership: MembershipLimit
    verbatim_training_rows: Annotated[int, Meta(ge=0)] = 0
