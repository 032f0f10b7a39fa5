"""What is known of every rule and reason of every check, by its id: reports explain from here and nowhere else.

A record may come from a newer version, or from an attacker, so a rule or reason that it names need not be known.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from weighbridge.checks.dependencies.reasons import REASONS as DEPENDENCY_REASONS
from weighbridge.checks.dependencies.rules import RULES as DEPENDENCIES
from weighbridge.checks.leakage.rules import RULES as LEAKAGE
from weighbridge.checks.model_scan.reasons import REASONS as MODEL_SCAN_REASONS
from weighbridge.checks.model_scan.rules import RULES as MODEL_SCAN
from weighbridge.checks.robustness.rules import RULES as ROBUSTNESS
from weighbridge.checks.rule import Reason, Rule
from weighbridge.checks.runners.reasons import REASONS as RUNNER_REASONS
from weighbridge.checks.worker.reasons import REASONS as WORKER_REASONS
from weighbridge.evidence.record import CheckName

CATALOGUE: Final[Mapping[CheckName, tuple[Rule, ...]]] = MappingProxyType(
    {
        CheckName.DEPENDENCY_AUDIT: DEPENDENCIES,
        CheckName.MODEL_SCAN: MODEL_SCAN,
        CheckName.ROBUSTNESS: ROBUSTNESS,
        CheckName.LEAKAGE: LEAKAGE,
    }
)
"""The rules of each check. Ids are unique over all of them."""

REASONS: Final[Mapping[str, tuple[Reason, ...]]] = MappingProxyType(
    {
        "Dependency audit": DEPENDENCY_REASONS,
        "Model scan": MODEL_SCAN_REASONS,
        "Robustness and leakage": RUNNER_REASONS,
        "Every check": WORKER_REASONS,
    }
)
"""Why a check does not judge something. Ids are unique over all checks and over the rules."""

_BY_CODE: Final = {reason.id: reason for reasons in REASONS.values() for reason in reasons}
_BY_ID: Final = {rule.id: rule for rules in CATALOGUE.values() for rule in rules}


def rule_of(identifier: str) -> Rule | None:
    """Return the rule of that id, None when this version knows none."""
    return _BY_ID.get(identifier)


def reason_of(code: str) -> Reason | None:
    """Return the reason of that code, None when this version knows none."""
    return _BY_CODE.get(code)
