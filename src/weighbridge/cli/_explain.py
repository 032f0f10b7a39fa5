"""Say for each requirement what satisfied it or did not, with digest, key, role and line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from weighbridge.clock import format_instant
from weighbridge.gate.decision import Bond, Decision, Outcome, VerdictResult
from weighbridge.report._text import clean_block

_BONDS: Final = {
    Bond.DIGEST: "its digest in the policy",
    Bond.SIGNED: "a signature",
    Bond.REQUESTER: "who asked",
    Bond.UNBOUND: "nothing",
}


def explain(decision: Decision) -> str:
    """Return the explanation as plain text; the same decision gives the same text."""
    # What evidence says must not look like a line of ours, or steer the terminal.
    return "\n".join(clean_block(line.replace("\n", " ")) for line in _lines(decision))


def _lines(decision: Decision) -> Iterator[str]:
    policy, trust = decision.policy, decision.trust
    for weakness in decision.weaknesses:
        yield f"mind: {weakness}"
    yield f"model    {decision.model}"
    yield f"policy   {policy.name} (mode {policy.mode}) sha256:{policy.digest}"
    yield f"trust    {trust.name} version {trust.version} sha256:{trust.digest}"
    # What refuses is valid for nobody, so it has no such date.
    passed = decision.result is VerdictResult.PASSED
    until = f", valid until {format_instant(decision.valid_until)}" if passed else ""
    yield f"time     {format_instant(decision.time)}{until}"
    yield f"verdict  {decision.result}"
    for problem in decision.problems:
        yield f"! {problem.reason}"
        yield f"    next step: {problem.remedy}"
    for outcome in decision.outcomes:
        yield from _outcome(outcome, policy.file)
    if decision.rejected:
        yield "files that are not accepted as evidence:"
    for item in decision.rejected:
        yield f"  {item.file}: {item.reason}"
        if item.remedy:
            yield f"    next step: {item.remedy}"


def _outcome(outcome: Outcome, policy_file: str) -> Iterator[str]:
    yield f"{outcome.result:<9} {outcome.check} ({policy_file}:{outcome.line}): {outcome.reason}"
    for item in outcome.evidence:
        yield f"    {item.file} sha256:{item.sha256}"
        yield f"    signed by {item.role} with {item.key.id}, finished {item.record.finished}"
        yield f"    {item.record.confinement.summary}"
    for bound in outcome.inputs:
        said = f"signed by {bound.by}" if bound.by else _BONDS[bound.bond]
        yield f"    on {bound.role} {bound.input.name} sha256:{bound.input.sha256}, bound by: {said}"
    for note in outcome.notes:
        yield f"    note: {note}"
    for waived in outcome.waived:
        yield f"    waived: {waived}"
    if outcome.remedy:
        yield f"    next step: {outcome.remedy}"
