"""Every reason why the model scan does not judge something, one entry each, with a step that works for it.

A new reason is one ``Reason`` in the module of its kind (contents, budgets, documents); then
``python -m tools.rules write`` makes its page below ``docs/reasons``.
"""

from __future__ import annotations

from typing import Final

from weighbridge.checks.model_scan.reasons.budgets import BUDGETS
from weighbridge.checks.model_scan.reasons.contents import CONTENTS
from weighbridge.checks.model_scan.reasons.documents import DOCUMENTS
from weighbridge.checks.rule import Reason

REASONS: Final[tuple[Reason, ...]] = (*CONTENTS, *DOCUMENTS, *BUDGETS)
"""Every reason, by what it is about."""

_STEPS: Final = {reason.id: reason.remedy for reason in REASONS}


def step_of(code: str) -> str:
    """Return what to do about a place that says nothing better itself."""
    return _STEPS.get(code, "")
