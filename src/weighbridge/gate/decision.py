"""What the gate decides, as values: one outcome for each requirement, and one verdict over all."""

from __future__ import annotations

import enum
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from weighbridge.evidence.keys import PublicKey
from weighbridge.evidence.measurements import Input, InputRole
from weighbridge.evidence.record import CheckName, CheckRecord
from weighbridge.evidence.tries import TriesReset
from weighbridge.model.digest import Digest
from weighbridge.policy import Policy
from weighbridge.report._text import clean
from weighbridge.trust import Holder, Trust, TrustedKey


class VerdictResult(enum.StrEnum):
    """Passed, failed (something is wrong with the model) or undecided (something is missing). Only passed passes."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"

    @classmethod
    def worst(cls, results: list[VerdictResult]) -> VerdictResult:
        """Combine results: one failure fails, else one undecided is undecided; nothing at all is undecided."""
        if cls.FAILED in results:
            return cls.FAILED
        if cls.UNDECIDED in results or not results:
            return cls.UNDECIDED
        return cls.PASSED


@dataclass(frozen=True, slots=True)
class Evidence:
    """One file of evidence whose signature, subject and signer's role hold."""

    file: str
    sha256: str
    statement: str
    """The sha256 of what was signed; the same statement in another bundle is the same evidence."""
    record: CheckRecord
    finished: datetime
    key: PublicKey
    model: Digest
    roles: tuple[TrustedKey, ...]
    """Every role in which the key may sign this; at least one."""

    @property
    def role(self) -> str:
        """Return the name of the role that it counts in."""
        return self.roles[0].role

    @property
    def held_by(self) -> Holder:
        """Return who holds the key in that role, by the trust document."""
        return self.roles[0].held_by

    def signed_as(self, names: Collection[str]) -> Evidence | None:
        """Return this evidence as signed in one of the roles of these names; None when its key has none of them."""
        matching = [role for role in self.roles if role.role in names]
        # Of several the one whose word counts most.
        matching.sort(key=lambda role: role.held_by != "platform")
        return replace(self, roles=tuple(matching)) if matching else None


class Bond(enum.StrEnum):
    """What binds an input: its digest in the policy, a role that signed it, or less than that."""

    DIGEST = "digest"
    SIGNED = "signed"
    REQUESTER = "requester"
    UNBOUND = "unbound"


@dataclass(frozen=True, slots=True)
class BoundInput:
    """One input of a check and what binds it. ``by`` is the role that signed it, or who supplied it."""

    input: Input
    role: InputRole
    bond: Bond
    by: str = ""
    key: PublicKey | None = None

    @property
    def weakness(self) -> str:
        """Say in one sentence what is weak about it; empty where nothing is."""
        # The name is the asker's, and the sentence is printed where a log is read.
        what = f"the {TITLES[self.role]} {clean(self.input.name)}"
        match self.bond:
            case Bond.UNBOUND:
                return f"nothing binds {what}: whoever called the check chose it, and the policy says `unbound`"
            case Bond.REQUESTER:
                return f"{what} came from {clean(self.by)}, who asked for the review"
            case Bond.DIGEST | Bond.SIGNED:
                return ""


TITLES: Final = {
    InputRole.TEST: "test data",
    InputRole.MEMBERS: "members",
    InputRole.NON_MEMBERS: "non-members",
    InputRole.REQUIREMENTS: "requirements",
    InputRole.LOCK: "lock",
    InputRole.ENVIRONMENT: "environment",
    InputRole.ADVISORIES: "advisories",
}
"""How inputs are called in sentences."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """One file that does not count, and why. ``claims`` is the check that it says it is of, which nobody verified."""

    file: str
    reason: str
    remedy: str = ""
    claims: CheckName | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that does not hold: whether it speaks against the model or leaves it open, why, and what to do."""

    result: VerdictResult
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one requirement: the result, why, what to do, which evidence, until when it holds."""

    check: CheckName
    line: int
    result: VerdictResult
    reason: str
    remedy: str = ""
    evidence: tuple[Evidence, ...] = ()
    waived: tuple[str, ...] = ()
    until: datetime | None = None
    inputs: tuple[BoundInput, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader has to know beside the result: what is weak about it, and why limits were tightened."""
    resets: tuple[TriesReset, ...] = ()
    """What forgave earlier tries; who signed that has to be trusted as long as the verdict counts."""
    first: tuple[Evidence, ...] = ()
    """The earliest evidence of the same measurements, before which tries count; the same is true of who signed that."""

    @property
    def rests_on(self) -> tuple[Evidence, ...]:
        """Return all evidence whose signers have to be trusted as long as the verdict counts."""
        return (*self.evidence, *self.first)


@dataclass(frozen=True, slots=True)
class Decision:
    """Everything the gate found out about one model. ``problems`` concern the whole and are never waived.

    ``aside`` is evidence of the model whose signature holds and which no requirement rests on: it is older than what
    counts, by another role than the policy names, or of a check that the policy does not ask for.
    """

    model: Digest
    policy: Policy
    trust: Trust
    time: datetime
    valid_until: datetime
    outcomes: tuple[Outcome, ...]
    rejected: tuple[Rejected, ...]
    problems: tuple[Problem, ...]
    aside: tuple[Evidence, ...] = ()

    @property
    def result(self) -> VerdictResult:
        """Return the verdict: passed only when every requirement is satisfied and nothing else is wrong."""
        results = [outcome.result for outcome in self.outcomes]
        results += [problem.result for problem in self.problems]
        return VerdictResult.worst(results)

    @property
    def weaknesses(self) -> tuple[str, ...]:
        """Return every sentence that a report has to repeat, each once, in the order of the requirements."""
        found = (item.weakness for outcome in self.outcomes for item in outcome.inputs)
        return tuple(dict.fromkeys(sentence for sentence in found if sentence))
