"""Find the waiver of a finding: by advisory and component, and by nothing else."""

from __future__ import annotations

import re
from typing import Final

from weighbridge.evidence.record import CheckName, Finding
from weighbridge.gate.limits import MALWARE_RULE
from weighbridge.policy import Policy, Waiver

_SEPARATORS: Final = re.compile(r"[-_.]+")


def waiver_for(finding: Finding, *, check: CheckName, policy: Policy) -> Waiver | None:
    """Return the waiver of a finding that lasts longest, whether it has expired or not.

    It has to name the advisory, or an alias, and the component: one advisory touches several components, and a reason
    that is true of one says nothing about another. A rule such as ``known-vulnerability`` is never waived, for that
    would waive what comes next too. Malware is waived by its own id alone: whoever accepted a vulnerability that it
    has as an alias did not mean this.
    """
    if not finding.advisory or finding.component is None:
        return None
    names = {finding.advisory} if finding.rule == MALWARE_RULE else {finding.advisory, *finding.aliases}
    component = normal_name(finding.component.name)
    matching = [
        waiver
        for waiver in policy.waivers
        if waiver.spec.check == check.value
        and waiver.spec.id in names
        and normal_name(waiver.spec.component) == component
    ]
    return max(matching, key=lambda waiver: waiver.expires, default=None)


def normal_name(name: str) -> str:
    """Return a component's name as PEP 503 normalises it, so that a policy may write it as its index does."""
    return _SEPARATORS.sub("-", name).lower()
