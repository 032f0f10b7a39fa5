"""What is said once about a rule or a reason, wherever it is shown: the types of the catalogue's entries."""

from __future__ import annotations

from dataclasses import dataclass

from weighbridge.evidence.record import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: what its findings mean and what to do about them.

    ``title`` ends the sentence "something is wrong:"; ``meaning`` says why it matters and how it is used in an attack;
    ``remedy`` is the next step, which findings carry unless they know a better one. ``severity`` is what findings have
    if nothing makes them worse; ``unknown`` is of rules whose findings say it themselves, such as an advisory's.
    ``cwe`` are numbers of https://cwe.mitre.org.
    """

    id: str
    title: str
    meaning: str
    remedy: str
    severity: Severity = Severity.HIGH
    cwe: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason why something could not be judged: what it means and what to do about it.

    ``title`` says what was met, as the end of "it could not be judged:"; ``meaning`` says why that stops a judgement;
    ``remedy`` is one step that works for what has this reason, which places carry unless they know a better one.
    """

    id: str
    title: str
    meaning: str
    remedy: str
