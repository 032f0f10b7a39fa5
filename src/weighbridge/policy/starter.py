"""The one starter policy: strict, and cut to what there is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from weighbridge.evidence.measurements import InputRole
from weighbridge.evidence.record import CheckName
from weighbridge.policy.edit import NewBinding, bind
from weighbridge.policy.parse import Policy

ROLES: Final = ("scanner", "auditor", "tester", "verifier")
"""Roles whose keys the starter policy needs."""

_HEAD: Final = """\
# What must hold before a model may run. `weighbridge policy show` says what binds what.
apiVersion: weighbridge.dev/v1alpha1
kind: ModelPolicy
metadata: {{name: {name}}}
spec:
  # What the checks are done on. A role that is missing here is bound by nothing, and evidence on it does not count.
  # Bind more with `weighbridge policy bind`; `unbound` lets anything count, and every report says so.
  inputs:
    lock: unbound
  requirements:
    - check: model-scan
      signers: [scanner]
      maxAge: 30d
"""

_AUDIT: Final = """\
    - check: dependency-audit
      signers: [auditor]
      maxAge: 7d
      limits: {severity: high, unknownSeverity: fail, malware: fail}
"""

_ROBUSTNESS: Final = """\
    - check: robustness
      signers: [tester]
      maxAge: 30d
      maxTries: 20
      limits: {norm: linf, epsilon: 0.1, accuracyUnderAttack: {atLeast: 0.60, confidence: 0.95}}
"""

_LEAKAGE: Final = """\
    - check: leakage
      signers: [tester]
      maxAge: 30d
      maxTries: 20
      limits: {membership: {tprAtFpr: 0.01, atMost: 0.05, confidence: 0.95}, verbatimTrainingRows: 0}
"""

_TAIL: Final = """\
  separation: [[scanner, tester, auditor], [verifier]]
"""

_NOT_YET: Final = "    # Needs {what}:\n"


def starter_policy(name: str, *, bindings: Mapping[InputRole, NewBinding]) -> bytes:
    """Return the strict starter policy of this name with these inputs bound.

    It always asks for a scan and an audit. Robustness and leakage are asked for where their data are bound, and stand
    as comments where not. Where nobody names what is audited, the lock is ``unbound``, which reports repeat and which
    releases no pod where a policy enforces.
    """
    parts = [_HEAD.format(name=name), _AUDIT]
    test = InputRole.TEST in bindings
    split = {InputRole.MEMBERS, InputRole.NON_MEMBERS} <= set(bindings)
    parts += [_ROBUSTNESS] if test else _comment(_ROBUSTNESS, "test data, bound under inputs.test")
    parts += [_LEAKAGE] if split else _comment(_LEAKAGE, "members and non-members, bound under inputs")
    return bind("".join([*parts, _TAIL]).encode(), bindings=bindings, name="the starter policy")


def _comment(text: str, what: str) -> list[str]:
    lines = text.splitlines(keepends=True)
    return [_NOT_YET.format(what=what), *(f"    # {line[4:]}" for line in lines)]


def starter_for(checks: Collection[CheckName]) -> Policy:
    """Return the starter policy with the requirements on these checks alone, for a look that nobody signs.

    It binds no input: whoever looks chooses them, and what comes out counts nowhere.
    """
    parts = {
        CheckName.MODEL_SCAN: "",  # the head asks for it
        CheckName.DEPENDENCY_AUDIT: _AUDIT,
        CheckName.ROBUSTNESS: _ROBUSTNESS,
        CheckName.LEAKAGE: _LEAKAGE,
    }
    asked = [text for check, text in parts.items() if check in checks]
    return Policy.parse("".join([_HEAD.format(name="starter"), *asked, _TAIL]).encode(), name="the starter policy")
