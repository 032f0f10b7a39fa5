"""Judge a model: policy, trust and evidence in, one decision out. Nothing here reads a clock, a file or a network.

For a fact only the newest evidence of a check counts: older evidence that passed cannot make up for newer that did not,
so putting an old file back changes nothing; of equally new files every one must hold. For a statistic a failing result
stands; ``weighbridge.gate.statistics`` says why.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final

from weighbridge.clock import format_instant
from weighbridge.evidence.record import CheckName
from weighbridge.evidence.store import StoredFile
from weighbridge.evidence.tries import TriesReset
from weighbridge.gate.case import Case, count_tries, failed_tries, forgiving
from weighbridge.gate.decision import BoundInput, Decision, Evidence, Outcome, Problem, VerdictResult
from weighbridge.gate.evidence import sort_evidence
from weighbridge.gate.facts import standing_fact
from weighbridge.gate.limits import holds_until
from weighbridge.gate.missing import missing
from weighbridge.gate.preconditions import preconditions
from weighbridge.gate.statistics import (
    first_of,
    is_forgiven,
    is_statistic,
    newest,
    standing_statistic,
    tightened_spec,
    tries_note,
    tries_problem,
    withheld_failure,
)
from weighbridge.gate.waivers import normal_name
from weighbridge.model.digest import Digest, ModelFiles
from weighbridge.policy import LeakageRequirement, Policy, RobustnessRequirement, Waiver
from weighbridge.trust import Trust

_SHOWN: Final = 3
"""Problems of one requirement that its reason spells out."""

COMMANDS: Final = {
    CheckName.DEPENDENCY_AUDIT: "audit MODEL -r FILE",
    CheckName.MODEL_SCAN: "scan MODEL",
    CheckName.ROBUSTNESS: "robustness MODEL --data FILE",
    CheckName.LEAKAGE: "leakage MODEL --members FILE --non-members FILE",
}
"""The command that runs each check, for what to do next."""


def judge(
    model: Digest,
    *,
    policy: Policy,
    trust: Trust,
    files: Iterable[StoredFile],
    now: datetime,
    present: ModelFiles | None = None,
) -> Decision:
    """Decide whether the evidence satisfies the policy for this model at this time.

    The digest must have been computed from the model's bytes by the caller, just now. With ``present``, the files that
    it was computed from, evidence of another model is rejected with the names of those that differ.
    """
    problems = tuple(preconditions(model, policy=policy, trust=trust, now=now))
    found = sort_evidence(files, model=model, trust=trust, now=now, present=present)
    outcomes = tuple(_judge_requirement(Case(requirement, policy, found, now)) for requirement in policy.requirements)
    ends = [now + policy.valid_for, trust.expires]
    ends += [outcome.until for outcome in outcomes if outcome.until is not None]
    used = {item.key for outcome in outcomes for item in outcome.rests_on}
    used |= {item.key for outcome in outcomes for item in outcome.inputs if item.key is not None}
    used |= {reset.key for outcome in outcomes for reset in outcome.resets}
    rested_on = {item.file for outcome in outcomes for item in outcome.evidence}
    # A role that a key lost before is none that the verdict rests on.
    held = [trusted for trusted in trust.keys if trusted.key in used and trusted.is_valid_at(now)]
    ends += [trusted.not_after for trusted in held if trusted.not_after is not None]
    return Decision(
        model=model,
        policy=policy,
        trust=trust,
        time=now,
        valid_until=min(ends),
        outcomes=outcomes,
        rejected=tuple(found.rejected),
        problems=problems,
        aside=tuple(item for item in found.evidence if item.file not in rested_on),
    )


def _judge_requirement(case: Case) -> Outcome:
    requirement, check = case.requirement, case.requirement.check
    signed = case.signed
    if not signed:
        return missing(requirement, evidence=case.found.evidence, rejected=case.found.rejected, command=COMMANDS[check])
    latest = newest(signed)
    counted = tuple(item for item in signed if item.finished == latest)
    if case.now > latest + requirement.max_age:
        return Outcome(
            check,
            requirement.line,
            VerdictResult.UNDECIDED,
            f"the newest evidence is of {format_instant(latest)}, older than maxAge {requirement.spec.max_age}",
            f"run `weighbridge {COMMANDS[check]} --key KEY` again",
            counted,
        )
    problems: list[Problem] = []
    notes: list[str] = []
    tries = 0
    resets: tuple[TriesReset, ...] = ()
    first: tuple[Evidence, ...] = ()
    if is_statistic(requirement.spec):
        failed = failed_tries(case)
        tries, tried = max(((count_tries(case, item, failed), item) for item in counted), key=lambda found: found[0])
        resets = forgiving(case, failed)
        first = tuple(first_of(item, signed) for item in counted)
        problems += tries_problem(requirement.spec, tries=tries)
        confidence = _confidence(tightened_spec(requirement.spec, tries=tries))
        notes.append(tries_note(tried, tries=tries, confidence=confidence))
    problems += _standing_problems(case, counted)
    problems += _acceptance_problems(case)
    waived: list[Waiver] = []
    inputs: list[BoundInput] = []
    for item in counted:
        examined = case.examined(item, tries=tries)
        problems += [*examined.against_model, *examined.uncounted]
        waived += examined.waived
        inputs += examined.inputs
    found = _outcome(case, counted, problems, waived, tuple(dict.fromkeys(inputs)), tuple(notes))
    return replace(found, resets=resets, first=first)


def _standing_problems(case: Case, counted: tuple[Evidence, ...]) -> Iterable[Problem]:
    """Yield the failing results beside the evidence that counts which it does not put an end to."""
    statistic = is_statistic(case.requirement.spec)
    for item in (*case.signed, *case.ended):
        if any(item.statement == each.statement for each in counted):
            continue
        examined = case.examined_against(item)
        failed = [problem for problem in examined.against_model if problem.result is VerdictResult.FAILED]
        if not failed:
            continue
        if not statistic and not examined.unrelated:
            yield from standing_fact(item, failed[0].reason, counted=counted, uncounted=examined.uncounted)
        elif statistic and not examined.uncounted:
            yield standing_statistic(item, failed[0].reason)
        elif statistic and examined.uncounted == examined.withheld and not is_forgiven(item, case.found.resets):
            yield withheld_failure(item, failed[0].reason)


def _confidence(spec: object) -> float:
    match spec:
        case RobustnessRequirement(limits=limits):
            return limits.accuracy_under_attack.confidence
        case LeakageRequirement(limits=leakage):
            return leakage.membership.confidence
        case _:
            return 0.0


def _acceptance_problems(case: Case) -> Iterable[Problem]:
    until = case.requirement.accepted_until
    if until is not None and case.now > until:
        yield Problem(
            VerdictResult.UNDECIDED,
            f"the policy's weak limits for {case.requirement.check} were accepted until {format_instant(until)}",
            "set limits that a model can fail, or renew `accepted`",
        )


def _outcome(
    case: Case,
    evidence: tuple[Evidence, ...],
    problems: list[Problem],
    waived: list[Waiver],
    inputs: tuple[BoundInput, ...],
    notes: tuple[str, ...],
) -> Outcome:
    requirement = case.requirement
    check, line = requirement.check, requirement.line
    shown_waivers = tuple(
        dict.fromkeys(f"{waiver.spec.id} in {normal_name(waiver.spec.component)}" for waiver in waived)
    )
    ends = [
        holds_until(requirement.spec, item.record, finished=item.finished, max_age=requirement.max_age)
        for item in evidence
    ]
    ends += [waiver.expires for waiver in waived]
    if check is CheckName.DEPENDENCY_AUDIT and case.policy.advisories_accepted_until is not None:
        ends.append(case.policy.advisories_accepted_until)
    ends += [requirement.accepted_until] if requirement.accepted_until is not None else []
    until = min(ends)
    if not problems:
        reason = f"signed by {evidence[0].role} at {format_instant(evidence[0].finished)} and within all limits"
        return Outcome(check, line, VerdictResult.PASSED, reason, "", evidence, shown_waivers, until, inputs, notes)
    result = VerdictResult.worst([problem.result for problem in problems])
    worst_first = sorted(_told_once(problems), key=lambda problem: problem.result is not VerdictResult.FAILED)
    shown = [problem.reason for problem in worst_first[:_SHOWN]]
    if len(worst_first) > _SHOWN:
        shown.append(f"and {len(worst_first) - _SHOWN} more")
    remedy = worst_first[0].remedy
    return Outcome(check, line, result, "; ".join(shown), remedy, evidence, shown_waivers, until, inputs, notes)


def _told_once(problems: list[Problem]) -> list[Problem]:
    """Return the problems without those that only say of an older result what another says of the newest."""
    told = {problem.reason for problem in problems if problem.result is VerdictResult.FAILED}
    return [one for one in problems if not any(one.reason.endswith(f": {reason}") for reason in told)]
