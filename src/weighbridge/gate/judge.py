"""Judge a model: policy, trust and evidence in, one decision out. Nothing here reads a clock, a file or a network.

For each check only the newest evidence counts. Older evidence that passed cannot make up for newer that did not, so
putting an old file back changes nothing; of equally new files every one must hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from weighbridge.clock import format_instant
from weighbridge.evidence.record import CheckName, Finding
from weighbridge.evidence.store import StoredFile
from weighbridge.gate.bytes import PRIVATE_VIEWS, bytes_problems
from weighbridge.gate.decision import Decision, Evidence, Outcome, Problem, Rejected, VerdictResult
from weighbridge.gate.evidence import admit_evidence
from weighbridge.gate.limits import failing_findings, holds_until, problems_of
from weighbridge.gate.preconditions import preconditions
from weighbridge.model.digest import Digest
from weighbridge.policy import Policy, Requirement, Waiver
from weighbridge.trust import Trust

_SHOWN: Final = 3
"""Problems of one requirement that its reason spells out."""

COMMANDS: Final = {
    CheckName.DEPENDENCY_AUDIT: "audit",
    CheckName.MODEL_SCAN: "scan",
    CheckName.ROBUSTNESS: "robustness",
    CheckName.LEAKAGE: "leakage",
}
"""The command that runs each check, for what to do next."""


def judge(model: Digest, *, policy: Policy, trust: Trust, files: Iterable[StoredFile], now: datetime) -> Decision:
    """Decide whether the evidence satisfies the policy for this model at this time.

    The digest must have been computed from the model's bytes by the caller, just now.
    """
    problems = tuple(preconditions(model, policy=policy, trust=trust, now=now))
    accepted, rejected = admit_evidence(files, model=model, trust=trust, now=now)
    outcomes = tuple(
        _judge_requirement(requirement, model=model, policy=policy, evidence=accepted, rejected=rejected, now=now)
        for requirement in policy.requirements
    )
    ends = [now + policy.valid_for, trust.expires]
    ends += [outcome.until for outcome in outcomes if outcome.until is not None]
    used = {item.key for outcome in outcomes for item in outcome.evidence}
    ends += [trusted.not_after for trusted in trust.keys if trusted.key in used and trusted.not_after is not None]
    return Decision(
        model=model,
        policy=policy,
        trust=trust,
        time=now,
        valid_until=min(ends),
        outcomes=outcomes,
        rejected=rejected,
        problems=problems,
    )


def _judge_requirement(
    requirement: Requirement,
    *,
    model: Digest,
    policy: Policy,
    evidence: tuple[Evidence, ...],
    rejected: tuple[Rejected, ...],
    now: datetime,
) -> Outcome:
    check = requirement.check
    signed = [item for item in evidence if item.record.check is check and item.role in requirement.spec.signers]
    if not signed:
        return _missing(requirement, evidence, rejected)
    newest = max(item.finished for item in signed)
    counted = tuple(item for item in signed if item.finished == newest)
    if now > newest + requirement.max_age:
        return Outcome(
            check,
            requirement.line,
            VerdictResult.UNDECIDED,
            f"the newest evidence is of {format_instant(newest)}, older than maxAge {requirement.spec.max_age}",
            f"run `weighbridge {COMMANDS[check]} MODEL --key KEY` again",
            counted,
        )
    problems: list[Problem] = []
    waived: list[Waiver] = []
    for item in counted:
        left, used = _apply_waivers(item, requirement, policy, now)
        waived += used
        problems += _finding_problems(left, policy, requirement, now)
        problems += [
            Problem(VerdictResult.UNDECIDED, f"{place.location}: {place.reason}", "resolve it and run the check again")
            for place in item.record.undecided
        ]
        problems += _confinement_problems(item, policy)
        problems += bytes_problems(item.record, model=model, accepted_views=PRIVATE_VIEWS)
        if item.record.measurements is not None or not item.record.undecided:
            problems += problems_of(requirement.spec, item.record, model=model, now=now)
    until = [
        holds_until(requirement.spec, item.record, finished=item.finished, max_age=requirement.max_age)
        for item in counted
    ]
    until += [waiver.expires for waiver in waived]
    return _outcome(requirement, counted, problems, tuple(dict.fromkeys(w.spec.id for w in waived)), min(until))


def _confinement_problems(item: Evidence, policy: Policy) -> Iterable[Problem]:
    confinement = item.record.confinement
    if policy.confinement == "required" and not (confinement.filesystem and confinement.network):
        yield Problem(
            VerdictResult.UNDECIDED,
            f"the worker was not kept from files and network ({confinement.summary})",
            "run the check where the kernel has Landlock, or let the policy say `confinement: recorded`",
        )


def _missing(requirement: Requirement, evidence: tuple[Evidence, ...], rejected: tuple[Rejected, ...]) -> Outcome:
    check = requirement.check
    signers = ", ".join(requirement.spec.signers)
    others = sorted({item.role for item in evidence if item.record.check is check})
    claimed = [item for item in rejected if item.claims is check]
    unreadable = [item for item in rejected if item.claims is None]
    if others:
        reason = f"evidence of {check} is signed by {', '.join(others)}; the policy wants it from {signers}"
    elif claimed:
        reason = f"no evidence of {check} counts; {claimed[0].file}: {claimed[0].reason}"
        if len(claimed) > 1:
            reason += f" (and {len(claimed) - 1} more that do not count)"
    else:
        reason = f"there is no evidence of {check}"
        if unreadable:
            reason += f"; {unreadable[0].file} cannot be read as evidence: {unreadable[0].reason}"
    return Outcome(
        check,
        requirement.line,
        VerdictResult.UNDECIDED,
        reason,
        f"run `weighbridge {COMMANDS[check]} MODEL --key KEY` with the key of {signers}",
    )


def _apply_waivers(
    item: Evidence, requirement: Requirement, policy: Policy, now: datetime
) -> tuple[tuple[Finding, ...], list[Waiver]]:
    left: list[Finding] = []
    used: list[Waiver] = []
    for finding in failing_findings(requirement.spec, item.record.findings):
        waiver = _waiver_for(finding, requirement, policy)
        if waiver is not None and now <= waiver.expires:
            used.append(waiver)
        else:
            left.append(finding)
    return tuple(left), used


def _waiver_for(finding: Finding, requirement: Requirement, policy: Policy) -> Waiver | None:
    # By advisory only: a rule such as `known-vulnerability` would waive everything at once, and what comes next too.
    names = {finding.advisory, *finding.aliases} if finding.advisory else set()
    matching = [w for w in policy.waivers if w.spec.check == requirement.check.value and w.spec.id in names]
    return max(matching, key=lambda waiver: waiver.expires, default=None)


def _finding_problems(
    findings: tuple[Finding, ...], policy: Policy, requirement: Requirement, now: datetime
) -> Iterable[Problem]:
    for finding in findings:
        what = (
            f"{finding.advisory} in {finding.location}" if finding.advisory else f"{finding.rule} in {finding.location}"
        )
        note = ""
        waiver = _waiver_for(finding, requirement, policy)
        if waiver is not None:
            note = f" (its waiver in line {waiver.line} expired at {format_instant(waiver.expires)})"
        yield Problem(VerdictResult.FAILED, f"{what} [{finding.severity}]: {finding.message}{note}", finding.remedy)


def _outcome(
    requirement: Requirement,
    evidence: tuple[Evidence, ...],
    problems: list[Problem],
    waived: tuple[str, ...],
    until: datetime,
) -> Outcome:
    check, line = requirement.check, requirement.line
    if not problems:
        reason = f"signed by {evidence[0].role} at {format_instant(evidence[0].finished)} and within all limits"
        return Outcome(check, line, VerdictResult.PASSED, reason, "", evidence, waived, until)
    result = VerdictResult.worst([problem.result for problem in problems])
    worst_first = sorted(problems, key=lambda problem: problem.result is not VerdictResult.FAILED)
    shown = [problem.reason for problem in worst_first[:_SHOWN]]
    if len(problems) > _SHOWN:
        shown.append(f"and {len(problems) - _SHOWN} more")
    return Outcome(check, line, result, "; ".join(shown), worst_first[0].remedy, evidence, waived, until)
