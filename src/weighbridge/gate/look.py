"""Apply a policy's limits to records that nobody signed: for looking at a model, and no verdict.

Whoever looks chose the inputs and holds no key, so what binds inputs, who signed and how often it was tried is not
asked here. What comes out is of a type of its own, which nothing signs and no platform reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from weighbridge.evidence.record import CheckName, CheckRecord
from weighbridge.gate.bytes import PRIVATE_VIEWS, identity_problems, view_problems
from weighbridge.gate.decision import Problem, VerdictResult
from weighbridge.gate.examine import confinement_problems, undecided_problems
from weighbridge.gate.limits import failing_findings, problems_of
from weighbridge.model.digest import Digest
from weighbridge.policy import Policy, RequirementSpec


@dataclass(frozen=True, slots=True)
class Seen:
    """What one requirement says about one record."""

    check: CheckName
    problems: tuple[Problem, ...]

    @property
    def answer(self) -> VerdictResult:
        """Return what the problems amount to."""
        results = [problem.result for problem in self.problems]
        return VerdictResult.worst(results) if results else VerdictResult.PASSED


def look(records: Iterable[CheckRecord], *, policy: Policy, model: Digest, now: datetime) -> tuple[Seen, ...]:
    """Say what each requirement of a policy makes of the record of its check.

    A requirement without a record is undecided.
    """
    found = {record.check: record for record in records}
    return tuple(
        Seen(requirement.check, tuple(_problems(requirement.spec, found.get(requirement.check), policy, model, now)))
        for requirement in policy.requirements
    )


def _problems(
    spec: RequirementSpec, record: CheckRecord | None, policy: Policy, model: Digest, now: datetime
) -> Iterator[Problem]:
    if record is None:
        yield Problem(VerdictResult.UNDECIDED, "the check did not run", "run it")
        return
    for finding in failing_findings(spec, record.findings):
        what = finding.advisory or finding.rule
        reason = f"{what} in {finding.location} [{finding.severity}]: {finding.message}"
        yield Problem(VerdictResult.FAILED, reason, finding.remedy)
    yield from undecided_problems(record)
    yield from identity_problems(record, model=model)
    yield from confinement_problems(record, policy)
    yield from view_problems(record, accepted_views=PRIVATE_VIEWS)
    if record.measurements is not None or not record.undecided:
        yield from problems_of(spec, record, model=model, now=now)
