"""Every rule of the model scan, one entry each: a finding whose rule is not here cannot be explained to anybody.

A new rule is one ``Rule`` in the module of its kind (pickles, containers, formats, documents); then
``python -m tools.rules write`` makes its page below ``docs/rules``.
"""

from __future__ import annotations

from typing import Final

from weighbridge.checks.model_scan.rules.containers import CONTAINERS
from weighbridge.checks.model_scan.rules.documents import DOCUMENTS
from weighbridge.checks.model_scan.rules.formats import FORMATS
from weighbridge.checks.model_scan.rules.pickles import PICKLES
from weighbridge.checks.model_scan.rules.remedies import EXPORT
from weighbridge.checks.rule import Rule

RULES: Final[tuple[Rule, ...]] = (*PICKLES, *CONTAINERS, *FORMATS, *DOCUMENTS)
"""Every rule, by kind of what is scanned."""

_REMEDIES: Final = {rule.id: rule.remedy for rule in RULES}


def remedy_of(rule: str) -> str:
    """Return what to do about a finding that says nothing better itself."""
    return _REMEDIES.get(rule, EXPORT)
