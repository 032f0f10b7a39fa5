"""Apply a requirement's limits to measurements. Each function returns what is wrong; nothing wrong is an empty list.

A problem is ``failed`` when the model is at fault and ``undecided`` when the evidence does not answer the question,
such as a weaker attack than the policy asks for.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from math import isclose
from typing import Final

from weighbridge._binomial import lower_bound
from weighbridge.clock import format_instant, parse_duration, parse_instant
from weighbridge.evidence.measurements import (
    DependencyAuditMeasurements,
    LeakageEntry,
    LeakageMeasurements,
    ModelScanMeasurements,
    RobustnessMeasurements,
)
from weighbridge.evidence.record import CheckRecord, Finding, Severity
from weighbridge.gate.decision import Problem, VerdictResult
from weighbridge.model.digest import Digest, combine
from weighbridge.policy import (
    DependencyAuditLimits,
    DependencyAuditRequirement,
    LeakageLimits,
    LeakageRequirement,
    ModelScanRequirement,
    RequirementSpec,
    RobustnessLimits,
    RobustnessRequirement,
)
from weighbridge.policy.parse import DEFAULT_ADVISORIES_AGE
from weighbridge.report.words import doubted

MALWARE_RULE: Final = "malware"
"""Rule id of a finding that a dependency is malware."""

MAX_EXAMPLES: Final = 100_000
"""Most examples that a bound is computed for: as many as a check may attack. Evidence could name any number."""

_ROUNDING: Final = 1 + 1e-6
"""How much larger the error that is left may be than the policy's: by rounding, never by an earlier try's share."""


def failing_findings(spec: RequirementSpec, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return the findings that count against the requirement, before waivers."""
    match spec:
        case DependencyAuditRequirement(limits=limits):
            return tuple(finding for finding in findings if _audit_fails(finding, limits))
        case ModelScanRequirement(limits=scan):
            # An unknown severity of our own scan counts as the worst.
            return tuple(
                finding
                for finding in findings
                if finding.severity is Severity.UNKNOWN or finding.severity.rank >= scan.severity.rank
            )
        case RobustnessRequirement() | LeakageRequirement():
            # Their limits are applied to the measurements; a finding says the same in words.
            return ()


def _audit_fails(finding: Finding, limits: DependencyAuditLimits) -> bool:
    if finding.rule == MALWARE_RULE:
        return limits.malware == "fail"
    if finding.severity is Severity.UNKNOWN:
        return limits.unknown_severity == "fail"
    return finding.severity.rank >= limits.severity.rank


def problems_of(spec: RequirementSpec, record: CheckRecord, *, model: Digest, now: datetime) -> Iterator[Problem]:
    """Yield every limit of the requirement that the record's measurements do not meet."""
    measured = record.measurements
    match spec:
        case DependencyAuditRequirement(limits=audit) if isinstance(measured, DependencyAuditMeasurements):
            yield from _audit(audit, measured, now)
        case ModelScanRequirement() if isinstance(measured, ModelScanMeasurements):
            yield from _scan(measured, record.findings, model)
        case RobustnessRequirement(limits=robustness) if isinstance(measured, RobustnessMeasurements):
            yield from _robustness(robustness, measured)
        case LeakageRequirement(limits=leakage) if isinstance(measured, LeakageMeasurements):
            yield from _leakage(leakage, measured)
        case _:
            yield Problem(
                VerdictResult.UNDECIDED,
                f"the evidence carries no measurements of {record.check}",
                "run the check again and look at what it could not judge",
            )


def amount_problems(spec: RequirementSpec, record: CheckRecord) -> Iterator[Problem]:
    """Yield where a statistic was not measured on as much as the policy says, no more and no less.

    Each other number of examples or queries is another draw, so whoever could choose it could try until one passes.
    """
    measured = record.measurements
    if not isinstance(spec, RobustnessRequirement) or not isinstance(measured, RobustnessMeasurements):
        return
    limits = spec.limits
    if measured.epsilon > limits.epsilon:
        yield Problem(
            VerdictResult.UNDECIDED,
            f"the attack had epsilon {measured.epsilon!r}; the policy says {limits.epsilon!r}, and each other is "
            "another draw",
            f"run the robustness check again with --epsilon {limits.epsilon!r}, or change `epsilon` in the policy",
        )
    if measured.queries_per_example != limits.queries:
        yield Problem(
            VerdictResult.UNDECIDED,
            f"the attack had {measured.queries_per_example} queries an example; the policy says {limits.queries}",
            f"run the robustness check again with --queries {limits.queries}, or change `queries` in the policy",
        )
    wanted = min(limits.examples, measured.data.rows)
    for entry in measured.entries:
        # An attack that was never begun has its controls to say why.
        if entry.examples not in (0, wanted):
            yield Problem(
                VerdictResult.UNDECIDED,
                f"{entry.path}: {entry.examples} examples were attacked; the policy says {limits.examples}, of "
                f"{measured.data.rows} that there are",
                f"run the robustness check again with --samples {limits.examples}, or change `examples` in the policy",
            )


def holds_until(spec: RequirementSpec, record: CheckRecord, *, finished: datetime, max_age: timedelta) -> datetime:
    """Return when evidence becomes too old for its requirement: by its own age or by that of its database."""
    until = finished + max_age
    if isinstance(spec, DependencyAuditRequirement) and isinstance(record.measurements, DependencyAuditMeasurements):
        until = min(until, _database_until(spec.limits, record.measurements))
    return until


def _database_until(limits: DependencyAuditLimits, measured: DependencyAuditMeasurements) -> datetime:
    built = parse_instant(measured.database.built, what="the date of the advisories")
    return built + parse_duration(_age(limits), what="databaseMaxAge")


def _age(limits: DependencyAuditLimits) -> str:
    # A parsed policy has filled it in.
    return limits.database_max_age or DEFAULT_ADVISORIES_AGE


def _audit(limits: DependencyAuditLimits, measured: DependencyAuditMeasurements, now: datetime) -> Iterator[Problem]:
    if measured.database.records == 0:
        yield Problem(VerdictResult.UNDECIDED, "the advisory database was empty", "audit against a real one")
    if not measured.components:
        yield Problem(
            VerdictResult.UNDECIDED,
            "no dependency was audited",
            "give the audit a lock file, requirements or an environment",
        )
    if now > _database_until(limits, measured):
        yield Problem(
            VerdictResult.UNDECIDED,
            f"the advisories are of {measured.database.built}, older than the policy's {_age(limits)} "
            f"at {format_instant(now)}",
            "make a current bundle with `weighbridge advisories build` and audit with --advisories, or have the policy "
            "accept old ones: `weighbridge policy new --accept-old-advisories REASON --owner NAME`",
        )


def _scan(measured: ModelScanMeasurements, findings: tuple[Finding, ...], model: Digest) -> Iterator[Problem]:
    if not findings and any(file.state == "refused" for file in measured.files):
        yield Problem(VerdictResult.UNDECIDED, "the scan refused a file and does not say why", "scan the model again")
    # A model that was changed for the scan and changed back has other checksums in the coverage than it has now.
    covered = sorted((file.path.encode(errors="replace"), file.sha256 or "") for file in measured.files)
    one_line_each = not any(b"\n" in path for path, _ in covered)
    if not one_line_each or combine([(path.decode(), checksum) for path, checksum in covered]) != model:
        yield Problem(
            VerdictResult.UNDECIDED,
            "the files that the scan covered are not the files of the model",
            "scan the model again, while nothing writes to it",
        )
    for file in measured.files:
        if file.state == "undecided":
            yield Problem(
                VerdictResult.UNDECIDED,
                f"{file.path} ({file.format}) could not be judged by the scan",
                "take the step that the scan names for this file, or leave the file out if nothing loads it",
            )


def _robustness(limits: RobustnessLimits, measured: RobustnessMeasurements) -> Iterator[Problem]:
    if measured.epsilon < limits.epsilon:
        yield Problem(
            VerdictResult.UNDECIDED,
            f"the attack was {measured.norm} with epsilon {measured.epsilon!r}, weaker than the policy's "
            f"{limits.norm} with {limits.epsilon!r}",
            f"run the robustness check again with --epsilon {limits.epsilon!r}",
        )
    if not measured.entries:
        yield Problem(VerdictResult.UNDECIDED, "no model file was attacked", "run the check on a loadable model")
    wanted = limits.accuracy_under_attack
    for entry in measured.entries:
        broken = [control.name for control in entry.controls if not control.held]
        if broken or not entry.controls:
            yield Problem(
                VerdictResult.UNDECIDED,
                f"{entry.path}: standing this attack says nothing: {doubted(broken) or 'it has no tests of itself'}",
                "raise --queries, or look at the control's detail in the report",
            )
        if not entry.survived <= entry.correct <= entry.examples or entry.examples == 0:
            yield Problem(VerdictResult.UNDECIDED, f"{entry.path}: the counts contradict each other", "run it again")
            continue
        if entry.examples > MAX_EXAMPLES:
            yield Problem(
                VerdictResult.UNDECIDED,
                f"{entry.path}: {entry.examples} examples, more than the {MAX_EXAMPLES} that a bound is computed for",
                "run it again with fewer --samples",
            )
            continue
        bound = lower_bound(entry.survived, entry.examples, confidence=wanted.confidence)
        if bound < wanted.at_least:
            yield Problem(
                VerdictResult.FAILED,
                f"{entry.path}: {entry.survived} of {entry.examples} examples are still right under attack, which "
                f"shows {_share(bound)} at least (lower bound, confidence {wanted.confidence:g}); the policy wants "
                f"{_share(wanted.at_least)}",
                "train for robustness, or test more examples if the share is close to the limit",
            )


def _leakage(limits: LeakageLimits, measured: LeakageMeasurements) -> Iterator[Problem]:
    if not measured.entries:
        yield Problem(VerdictResult.UNDECIDED, "no model file was examined", "run the check on a loadable model")
    for entry in measured.entries:
        yield from _membership(limits, entry)
        yield from _lookup(limits, entry, members=measured.members.rows)
        if entry.verbatim_training_rows > limits.verbatim_training_rows:
            yield Problem(
                VerdictResult.FAILED,
                f"{entry.path} holds {entry.verbatim_training_rows} training rows verbatim; at most "
                f"{limits.verbatim_training_rows} are allowed",
                "use a model that does not keep its training data, such as one with fitted parameters only",
            )


def _lookup(limits: LeakageLimits, entry: LeakageEntry, *, members: int) -> Iterator[Problem]:
    # Evidence of the first release does not say how many rows were looked up: at most all of them.
    looked_up = members if entry.rows_looked_up is None else min(members, entry.rows_looked_up)
    if limits.verbatim_training_rows >= looked_up:
        yield Problem(
            VerdictResult.UNDECIDED,
            f"{entry.path}: {looked_up} training rows were looked for in it, so nothing can fail the limit of "
            f"{limits.verbatim_training_rows}",
            "lower `verbatimTrainingRows` in the policy, or run the leakage check with more members",
        )


def _membership(limits: LeakageLimits, entry: LeakageEntry) -> Iterator[Problem]:
    wanted = limits.membership
    rates = [
        rate
        for rate in entry.rates
        if isclose(rate.fpr, wanted.tpr_at_fpr) and 1 - rate.confidence <= (1 - wanted.confidence) * _ROUNDING
    ]
    if not rates:
        yield Problem(
            VerdictResult.UNDECIDED,
            f"{entry.path}: how many training rows an attack recognises (true-positive rate) was not measured at a "
            f"false-positive rate of {wanted.tpr_at_fpr:g} with {wanted.confidence:g} confidence",
            f"run the leakage check again with --fpr {wanted.tpr_at_fpr!r} --confidence {wanted.confidence!r}",
        )
        return
    rate = min(rates, key=lambda item: item.confidence)
    if rate.tpr > rate.upper:
        yield Problem(VerdictResult.UNDECIDED, f"{entry.path}: the rates contradict each other", "run it again")
        return
    if rate.upper > wanted.at_most:
        yield Problem(
            VerdictResult.FAILED,
            f"{entry.path}: an attack recognises {_share(rate.tpr)} of the training rows, up to {_share(rate.upper)} "
            f"(upper bound), while it takes {_share(rate.fpr)} of other rows for them; the policy allows "
            f"{_share(wanted.at_most)}",
            "regularise, train on more data or with differential privacy; or test more rows if it is close",
        )


def _share(proportion: float) -> str:
    # Two places, so that a figure and the limit that it misses by little are not written alike.
    return f"{100 * proportion:.2f} %"
