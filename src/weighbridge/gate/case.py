"""What one requirement of a policy is judged by, and which of it counts as an earlier try."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from weighbridge.evidence.tries import TriesReset
from weighbridge.gate.decision import Evidence
from weighbridge.gate.evidence import SortedEvidence
from weighbridge.gate.examine import Examined, examine
from weighbridge.gate.inputs import is_of_another_line
from weighbridge.gate.statistics import drew, earlier_tries, first_of, tightened_spec
from weighbridge.policy import Policy, Requirement


@dataclass(frozen=True, slots=True)
class Case:
    """What one requirement is judged by."""

    requirement: Requirement
    policy: Policy
    found: SortedEvidence
    now: datetime

    @property
    def signed(self) -> list[Evidence]:
        """Return the evidence about the model that a role signed which the requirement names."""
        return self._asked_for(self.found.evidence)

    @property
    def ended(self) -> list[Evidence]:
        """Return such evidence by keys that have ended since, which can only speak against the model."""
        return self._asked_for(self.found.ended)

    @property
    def elsewhere(self) -> list[Evidence]:
        """Return such evidence about other models."""
        return self._asked_for(self.found.others)

    def _asked_for(self, items: Iterable[Evidence]) -> list[Evidence]:
        of_check = (item for item in items if item.record.check is self.requirement.check)
        signed = (item.signed_as(self.requirement.spec.signers) for item in of_check)
        return [item for item in signed if item is not None]

    def examined(self, item: Evidence, *, tries: int) -> Examined:
        """Examine the evidence that is to count for the model, after so many tries."""
        spec = tightened_spec(self.requirement.spec, tries=tries)
        return examine(item, spec=spec, policy=self.policy, signed=tuple(self.found.inputs), now=self.now)

    def examined_against(self, item: Evidence) -> Examined:
        """Examine evidence that may speak against the model; for that, keys that have ended answer for inputs too."""
        signed = (*self.found.inputs, *self.found.ended_inputs)
        return examine(item, spec=self.requirement.spec, policy=self.policy, signed=signed, now=self.now)


def failed_tries(case: Case) -> list[Evidence]:
    """Return what did not pass, of this model and of others of its line.

    A look that does not count, for its amount, seed or surroundings, is a try all the same: its asker saw the figure.
    """
    signed = tuple(case.found.inputs)
    others = (each for each in case.elsewhere if not is_of_another_line(each, policy=case.policy, signed=signed))
    return [
        item
        for item in (*case.signed, *case.ended, *others)
        if drew(item) and not (examined := case.examined_against(item)).unrelated and examined.against_model
    ]


def count_tries(case: Case, item: Evidence, failed: list[Evidence]) -> int:
    """Count the tries before this one that did not pass and are not forgiven."""
    known = item.record.tries if isinstance(item.record.tries, int) and item.held_by == "platform" else 0
    # Not by a key that has ended: with another date it would say that this measurement was there before the tries.
    first = first_of(item, case.signed)
    return max(known, len(earlier_tries(failed, resets=tuple(case.found.resets), before=first)))


def forgiving(case: Case, failed: list[Evidence]) -> tuple[TriesReset, ...]:
    """Return the resets that forgive any of them; who signed those has to be trusted as long as a verdict counts."""
    statements = {item.statement for item in failed}
    of_check = (reset for reset in case.found.resets if reset.check is case.requirement.check)
    return tuple(reset for reset in of_check if not statements.isdisjoint(reset.evidence))
