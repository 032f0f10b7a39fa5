"""Say why there is no evidence that counts for a requirement, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from weighbridge.gate.decision import Evidence, Outcome, Rejected, VerdictResult
from weighbridge.policy import Requirement


def missing(
    requirement: Requirement, *, evidence: Sequence[Evidence], rejected: Sequence[Rejected], command: str
) -> Outcome:
    """Return the outcome of a requirement without evidence; the file that was probably meant is named."""
    check = requirement.check
    signers = ", ".join(requirement.spec.signers)
    others = sorted({item.role for item in evidence if item.record.check is check})
    claimed = [item for item in rejected if item.claims is check]
    unreadable = [item for item in rejected if item.claims is None]
    if others:
        reason = f"evidence of {check} is signed by {', '.join(others)}; the policy wants it from {signers}"
    elif claimed:
        reason = f"no evidence of {check} is accepted; {claimed[0].file}: {claimed[0].reason}"
        if len(claimed) > 1:
            reason += f" (and {len(claimed) - 1} more that are not accepted)"
    else:
        reason = f"there is no evidence of {check}"
        if unreadable:
            reason += f"; {unreadable[0].file} cannot be read as evidence: {unreadable[0].reason}"
    return Outcome(
        check,
        requirement.line,
        VerdictResult.UNDECIDED,
        reason,
        f"run `weighbridge {command} --key KEY` with the key of {signers}",
    )
