"""Examine one piece of evidence under one requirement: does it count, and what does it say about the model?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from weighbridge.clock import format_instant
from weighbridge.evidence.inputs import SignedInput
from weighbridge.evidence.record import CheckRecord, Finding, ViewKind
from weighbridge.gate.bytes import PRIVATE_VIEWS, identity_problems, view_problems
from weighbridge.gate.decision import BoundInput, Evidence, Problem, VerdictResult
from weighbridge.gate.inputs import choice_problems, judge_inputs
from weighbridge.gate.limits import amount_problems, failing_findings, problems_of
from weighbridge.gate.statistics import seed_problems
from weighbridge.gate.waivers import waiver_for
from weighbridge.policy import Policy, RequirementSpec, Waiver


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found. ``against_model`` is what the evidence says.

    ``unrelated`` is why it is not about this model on inputs that count. What else keeps it from counting is what
    whoever asked could arrange: ``withheld`` is that the signature of an input is not at hand; ``circumstances`` which
    input was left out, how much was measured, with which seed, label, bounds, view and
    confinement.
    """

    unrelated: tuple[Problem, ...]
    withheld: tuple[Problem, ...]
    circumstances: tuple[Problem, ...]
    against_model: tuple[Problem, ...]
    waived: tuple[Waiver, ...]
    inputs: tuple[BoundInput, ...]

    @property
    def uncounted(self) -> tuple[Problem, ...]:
        """Return everything that keeps the evidence from counting."""
        return (*self.unrelated, *self.withheld, *self.circumstances)


def examine(
    item: Evidence, *, spec: RequirementSpec, policy: Policy, signed: tuple[SignedInput, ...], now: datetime
) -> Examined:
    """Examine evidence whose signature, signer, subject and time hold."""
    inputs = judge_inputs(item, policy=policy, signed=signed, now=now)
    unrelated = (*inputs.problems, *identity_problems(item.record, model=item.model))
    views = frozenset(ViewKind) if policy.view == "recorded" else PRIVATE_VIEWS
    circumstances = (
        *inputs.left_out,
        *seed_problems(spec, item),
        *choice_problems(item.record, policy=policy),
        *confinement_problems(item.record, policy),
        *view_problems(item.record, accepted_views=views),
        *amount_problems(spec, item.record),
    )
    left, used = _apply_waivers(item, spec, policy, now)
    against = list(_finding_problems(left, item, policy))
    against += undecided_problems(item.record)
    if item.record.measurements is not None or not item.record.undecided:
        against += problems_of(spec, item.record, model=item.model, now=now)
    return Examined(unrelated, inputs.withheld, circumstances, tuple(against), tuple(used), inputs.bound)


def undecided_problems(record: CheckRecord) -> Iterator[Problem]:
    """Yield each place that a check could not judge, with its reason, its code and its next step."""
    for place in record.undecided:
        name = f" [{place.code}]" if place.code else ""
        reason = f"{place.location}{name}: {place.reason}"
        yield Problem(VerdictResult.UNDECIDED, reason, place.remedy or "resolve it and run the check again")


def confinement_problems(record: CheckRecord, policy: Policy) -> Iterable[Problem]:
    """Yield what was not kept from a worker, where the policy asks that it was."""
    confinement = record.confinement
    if policy.confinement == "required" and not (confinement.filesystem and confinement.network):
        yield Problem(
            VerdictResult.UNDECIDED,
            f"the worker was not kept from files and network ({confinement.summary})",
            "run the check where the kernel has Landlock, or let the policy say `confinement: recorded`",
        )


def _apply_waivers(
    item: Evidence, spec: RequirementSpec, policy: Policy, now: datetime
) -> tuple[tuple[Finding, ...], list[Waiver]]:
    left: list[Finding] = []
    used: list[Waiver] = []
    for finding in failing_findings(spec, item.record.findings):
        waiver = waiver_for(finding, check=item.record.check, policy=policy)
        if waiver is not None and now <= waiver.expires:
            used.append(waiver)
        else:
            left.append(finding)
    return tuple(left), used


def _finding_problems(findings: tuple[Finding, ...], item: Evidence, policy: Policy) -> Iterable[Problem]:
    for finding in findings:
        what = (
            f"{finding.advisory} in {finding.location}" if finding.advisory else f"{finding.rule} in {finding.location}"
        )
        note = ""
        waiver = waiver_for(finding, check=item.record.check, policy=policy)
        if waiver is not None:
            note = f" (its waiver in line {waiver.line} expired at {format_instant(waiver.expires)})"
        yield Problem(VerdictResult.FAILED, f"{what} [{finding.severity}]: {finding.message}{note}", finding.remedy)
