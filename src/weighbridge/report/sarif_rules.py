"""The rules of a SARIF run: explained from the catalogue, never by what one finding happens to say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from weighbridge.checks.rule import Rule
from weighbridge.evidence.record import CheckName, Finding, Severity
from weighbridge.report._text import clean, cut
from weighbridge.report.rules import described, page_of, sentence

Json = dict[str, Any]

LEVELS: Final[dict[Severity, str]] = {
    # Unknown is not low: it is shown as an error until somebody decides.
    Severity.UNKNOWN: "error",
    Severity.LOW: "note",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "error",
    Severity.CRITICAL: "error",
}
"""The level of a result by the severity of its finding."""

_SCORES: Final[dict[Severity, str]] = {
    # Middles of the bands by which code scanning names a severity; unknown has no score.
    Severity.LOW: "3.0",
    Severity.MEDIUM: "5.5",
    Severity.HIGH: "8.0",
    Severity.CRITICAL: "9.5",
}


def rules_of(results: list[Json], findings: Iterable[Finding], *, check: CheckName | None) -> list[Json]:
    """Return the rules that the results name, each once, and give every result its index among them."""
    mine: dict[str, list[Severity]] = {result["ruleId"]: [] for result in results}
    for finding in findings:
        mine[clean(finding.rule)].append(finding.severity)
    places = {identifier: place for place, identifier in enumerate(mine)}
    for result in results:
        result["ruleIndex"] = places[result["ruleId"]]
    return [_rule(identifier, found, check) for identifier, found in mine.items()]


def _rule(identifier: str, found: list[Severity], check: CheckName | None) -> Json:
    known = described(identifier)
    written: Json = {"id": identifier}
    written |= _explained(known) if known else _unexplained(identifier)
    # The score is the worst of the rule's own and of what was found, so that it never sounds milder than a finding.
    worst = max((known.severity if known else Severity.UNKNOWN, *found), key=lambda severity: severity.rank)
    if Severity.UNKNOWN in found:
        worst = max(worst, Severity.HIGH, key=lambda severity: severity.rank)
    written["defaultConfiguration"] = {"level": LEVELS[known.severity if known else worst]}
    written["properties"] = {"tags": _tags(known, check)}
    if worst in _SCORES and found:
        written["properties"]["security-severity"] = _SCORES[worst]
    return written


def _explained(rule: Rule) -> Json:
    todo = f"What to do: {rule.remedy}."
    page = page_of(rule)
    # A name that differs from the id by its case only is none.
    name = "".join(part.capitalize() for part in rule.id.replace("/", "-").split("-"))
    return ({"name": name} if "-" in rule.id else {}) | {
        "shortDescription": {"text": sentence(rule.title)},
        "fullDescription": {"text": rule.meaning},
        "help": {
            "text": f"{rule.meaning}\n\n{todo}\n\n{page}",
            "markdown": f"{rule.meaning}\n\n**What to do:** {rule.remedy}.\n\n[More about `{rule.id}`]({page})",
        },
        "helpUri": page,
    }


def _unexplained(identifier: str) -> Json:
    return {
        "shortDescription": {"text": cut(identifier.replace("-", " ")) or "unnamed"},
        "help": {"text": "This version knows no rule of that name. See the message of the result."},
    }


def _tags(rule: Rule | None, check: CheckName | None) -> list[str]:
    # Code scanning takes a weakness from a tag of this form.
    weaknesses = [f"external/cwe/cwe-{number:03}" for number in rule.cwe] if rule else []
    return ["security", *([check.value] if check else []), *weaknesses]
