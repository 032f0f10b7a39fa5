"""What a report says about a rule: the checks' own from their catalogue, and those that only reports and gates have."""

from __future__ import annotations

from typing import Final

from weighbridge.checks.catalogue import reason_of, rule_of
from weighbridge.checks.rule import Rule
from weighbridge.evidence.record import Severity

INFORMATION: Final = "https://weighbridge.dev"
"""Where the project says what it is."""

UNDECIDED: Final = "undecided"
"""Rule of everything that could not be judged."""

SIGNATURE: Final = "signature-invalid"
"""Rule of evidence whose signature does not hold, or that is not accepted for another reason."""

PROBLEM: Final = "verdict-problem"
"""Rule of what stands against a verdict as a whole."""

REQUIREMENT: Final = "requirement"
"""Rule of a policy's requirements. In SARIF the name of the check follows behind a slash."""

OWN: Final = (
    Rule(
        id=UNDECIDED,
        title="something could not be judged",
        meaning=(
            "There is no parser for it, a budget was spent, it could not be read, or a check could not be done. That "
            "is never the same as nothing found, so a gate refuses it like a finding."
        ),
        remedy=(
            "read the reason: convert a model whose format is not read to safetensors or ONNX, take out files that do "
            "not belong to the model, and run a check that was stopped again with what it lacked"
        ),
        severity=Severity.UNKNOWN,
    ),
    Rule(
        id=SIGNATURE,
        title="a file of evidence is not accepted",
        meaning=(
            "Its signature does not verify under a trusted key, it is about another model, or it cannot be read. "
            "Somebody may have changed or moved it."
        ),
        remedy="run the check again on this model, with a key that the trust document lists",
        cwe=(347,),
    ),
    Rule(
        id=PROBLEM,
        title="something stands against the verdict as a whole",
        meaning="It belongs to no single requirement, such as one identity in two roles that the policy keeps apart.",
        remedy="do what the message says, and judge again",
        severity=Severity.UNKNOWN,
    ),
    Rule(
        id=REQUIREMENT,
        title="what a requirement of the policy came to",
        meaning=(
            "A policy says which checks a model needs, signed by whom, how fresh and how good. A requirement that does "
            "not hold, or cannot be decided, keeps the model from being loaded."
        ),
        remedy="do what the message says, or have the policy changed by whoever answers for it",
        severity=Severity.UNKNOWN,
    ),
)
"""The rules that no check has."""

_OWN: Final = {rule.id: rule for rule in OWN}


def described(identifier: str) -> Rule | None:
    """Return what is known of a rule, None for one of a newer version or of an attacker's own.

    Behind ``undecided/`` stands the code of a reason, which is explained as a rule is.
    """
    first, _, code = identifier.partition("/")
    reason = reason_of(code) if first == UNDECIDED else None
    if reason is not None:
        return Rule(
            id=identifier,
            title=reason.title,
            meaning=reason.meaning,
            remedy=reason.remedy,
            severity=Severity.UNKNOWN,
        )
    return _OWN.get(first) or rule_of(identifier)


def page_of(rule: Rule) -> str:
    """Return the address of the page about a rule, or about the reason that it stands for."""
    return reason_page(rule.id.partition("/")[2]) or f"{INFORMATION}/docs/rules/{rule.id}"


def undecided_rule(code: str) -> str:
    """Return the rule under which a place of this reason is reported; of no reason where it names none."""
    return f"{UNDECIDED}/{code}" if reason_of(code) else UNDECIDED


def reason_page(code: str) -> str:
    """Return the address of the page about a reason; nothing where this version knows none of that code."""
    return f"{INFORMATION}/docs/reasons/{code}" if reason_of(code) else ""


def undecided_name(code: str) -> str:
    """Return how a place of this reason is named to people."""
    return f"{UNDECIDED}[{code}]" if code else UNDECIDED


def sentence(text: str) -> str:
    """Return a text of the catalogue as a sentence of its own."""
    return f"{text[0].upper()}{text[1:]}" + ("" if text.endswith((".", "`.")) else ".")
