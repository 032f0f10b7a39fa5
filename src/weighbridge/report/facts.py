"""What can be said about one record without a policy."""

from __future__ import annotations

from collections import Counter
from typing import Final

from weighbridge.evidence.measurements import InputRole, LeakageMeasurements, RobustnessMeasurements
from weighbridge.evidence.record import CheckName, CheckRecord, Finding, Severity
from weighbridge.report._text import plural
from weighbridge.report.interface import EvidenceView, RequirementView, Result, Signature, State, VerdictView

TITLES: Final[dict[CheckName, str]] = {
    CheckName.DEPENDENCY_AUDIT: "Dependency audit",
    CheckName.MODEL_SCAN: "Model scan",
    CheckName.ROBUSTNESS: "Robustness",
    CheckName.LEAKAGE: "Leakage",
}
"""How the checks are called in text for people."""

INPUTS: Final[dict[InputRole, str]] = {
    InputRole.TEST: "test examples",
    InputRole.MEMBERS: "members: rows it was trained on",
    InputRole.NON_MEMBERS: "non-members: rows it never saw",
    InputRole.REQUIREMENTS: "requirements file",
    InputRole.LOCK: "lock file",
    InputRole.ENVIRONMENT: "installed packages",
    InputRole.ADVISORIES: "known weaknesses (advisories)",
}
"""What each input is to a check, in text for people."""

SEVERITIES: Final = (Severity.CRITICAL, Severity.HIGH, Severity.UNKNOWN, Severity.MEDIUM, Severity.LOW)
"""Worst first. Unknown may be anything, so a list that is cut short keeps it before what is known to be less."""

RESULT_OF: Final[dict[State, Result]] = {"satisfied": "passed", "failed": "failed", "undecided": "undecided"}
"""What each state of a requirement means for the verdict."""


MEANINGS: Final[dict[Result, str]] = {
    "passed": "every requirement holds",
    "failed": "the model must not be loaded",
    "undecided": "something is missing or could not be judged, so the model must not be loaded",
}
"""What each verdict means, in half a sentence."""

ALL_THE_SAME: Final = (
    "Every requirement holds, and the model is refused all the same, for what stands below. It must not be loaded."
)
"""What a verdict means when only something that concerns the whole stands against it, such as a revocation."""

SIGNATURES: Final[dict[Signature, str]] = {
    "verified": "signature verified",
    "unverified": "signature not checked",
    "invalid": "not accepted",
}
"""What is known of a signature, in words: nobody looked, or there is a reason why this is no evidence."""


def is_refused_as_a_whole(verdict: VerdictView) -> bool:
    """Tell whether every requirement holds and the verdict refuses for a problem that belongs to none of them."""
    holds = bool(verdict.requirements) and all(item.state == "satisfied" for item in verdict.requirements)
    return verdict.verdict != "passed" and bool(verdict.problems) and holds


def told_aside(views: tuple[EvidenceView, ...]) -> str:
    """Say in one line how much evidence of the model is not shown, since nobody asked for it."""
    older = sum(view.why.startswith("older") for view in views)
    parts = [f"{plural(older, 'older result')} (not asked)"] if older else []
    if len(views) > older:
        parts.append(f"{plural(len(views) - older, 'result')} that the policy does not ask for")
    return f"not shown: {', '.join(parts)}"


def result_of(record: CheckRecord) -> Result:
    """Say what a record amounts to on its own: any finding fails, and anything missing is undecided.

    A measurement without a limit neither passes nor fails, so figures alone are ``passed`` only in the sense that
    nothing was found; the gate applies the limits of a policy.
    """
    if record.findings:
        return "failed"
    return "undecided" if record.undecided or record.measurements is None or not _conclusive(record) else "passed"


def _conclusive(record: CheckRecord) -> bool:
    match record.measurements:
        case RobustnessMeasurements(entries=entries):
            return bool(entries) and all(control.held for entry in entries for control in entry.controls)
        case LeakageMeasurements(entries=examined):
            return bool(examined) and all(control.held for entry in examined for control in entry.controls)
        case _:
            return True


def outcome_of(record: CheckRecord) -> str:
    """Say in words what a record amounts to without a policy: figures alone never sound like a pass."""
    result = result_of(record)
    if result == "failed":
        return plural(len(record.findings), "finding")
    return "undecided" if result == "undecided" else "nothing found"


def is_waived(finding: Finding, requirements: tuple[RequirementView, ...]) -> bool:
    """Tell whether a requirement waives this finding: its advisory, or an alias, in its component."""
    if finding.component is None:
        return False
    names = {f"{name} in {finding.component.name}" for name in (finding.advisory, *finding.aliases) if name}
    return any(name in names for item in requirements for name in item.waived)


def requirements_of(check: CheckName, verdict: VerdictView | None) -> tuple[RequirementView, ...]:
    """Return the policy's requirements on one check."""
    return tuple(item for item in verdict.requirements if item.check is check) if verdict else ()


def worst_first(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Sort findings by severity, worst first, else as the check reported them."""
    return tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))


def count_severities(findings: tuple[Finding, ...]) -> tuple[tuple[Severity, int], ...]:
    """Count findings by severity, worst first, leaving out what does not occur."""
    counts = Counter(finding.severity for finding in findings)
    return tuple((severity, counts[severity]) for severity in SEVERITIES if counts[severity])
