"""Bring packages and advisories together."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.version import Version

from weighbridge.checks.dependencies.advisories import Advisories, Entry
from weighbridge.checks.dependencies.inventory import Pin
from weighbridge.checks.dependencies.malware import PREFIX, is_malware
from weighbridge.checks.dependencies.matching import Outcome, fixed_versions, judge_entry
from weighbridge.checks.dependencies.osv import Record
from weighbridge.checks.dependencies.reasons import not_judged
from weighbridge.checks.dependencies.severity import severity_of
from weighbridge.checks.dependencies.text import plain
from weighbridge.checks.dependencies.versions import parse_version
from weighbridge.evidence.record import Component, Finding, Severity, Undecided

MALWARE = "malware"
VULNERABILITY = "known-vulnerability"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the advisories say about one pin; ``decided`` is false when its version is not one of PEP 440."""

    findings: tuple[Finding, ...]
    undecided: tuple[Undecided, ...]
    decided: bool


def judge_pin(pin: Pin, advisories: Advisories) -> Judgement:
    """Judge one package at one version: one finding for every record in force that speaks about it.

    Records that are aliases of each other, directly or through a third, each carry the ids of all of them, so that
    a reader sees that they are one vulnerability and no id is lost.

    Raises:
        ParseError: When a record about the package is not what the OSV schema says.
    """
    undecided = [not_judged("not-pinned", pin.doubt, location=pin.location)] if pin.doubt else []
    version = parse_version(pin.version)
    if version is None:
        reason = f"{pin.name} has the version {plain(pin.version)!r}, which PEP 440 does not order"
        return Judgement(
            (), (*undecided, not_judged("version-not-ordered", reason, location=pin.location)), decided=False
        )
    entries = advisories.about(pin.name)
    matched: list[Entry] = []
    for record, entry in entries:
        outcome = judge_entry(entry, version)
        if outcome is Outcome.AFFECTED:
            matched.append((record, entry))
        elif outcome is Outcome.UNDECIDABLE:
            reason = f"{record.id} states a range for {pin.name} that PEP 440 cannot order; read the record itself"
            undecided.append(not_judged("version-not-ordered", reason, location=pin.location))
    matched = _once(matched)
    silent = {record.id for record, _ in entries} - {record.id for record, _ in matched}
    groups = alias_closure([record for record, _ in matched])
    findings = tuple(_finding(pin, version, each, groups[each[0].id], silent) for each in matched)
    return Judgement(findings, tuple(undecided), decided=True)


def _once(matched: list[Entry]) -> list[Entry]:
    # A record may list a package twice; it is still one finding.
    return list({record.id: (record, entry) for record, entry in reversed(matched)}.values())[::-1]


def alias_closure(records: list[Record]) -> dict[str, frozenset[str]]:
    """Return, for each record, all ids that are connected to it through aliases, its own included."""
    group_of: dict[str, set[str]] = {}
    for record in records:
        merged = {record.id, *(record.aliases or ())}
        for known in [group_of[one] for one in merged if one in group_of]:
            merged |= known
        for one in merged:
            group_of[one] = merged
    return {record.id: frozenset(group_of[record.id]) for record in records}


def _finding(pin: Pin, version: Version, matched: Entry, group: frozenset[str], silent: set[str]) -> Finding:
    record, entry = matched
    related = any(one.startswith(PREFIX) and one not in silent for one in group)
    malware = related or is_malware(record, version, contradicted=silent.__contains__)
    summary = plain(" ".join((record.summary or "no summary").split()))
    return Finding(
        rule=MALWARE if malware else VULNERABILITY,
        # Malware needs no score: its payload ran when the package was installed or imported.
        severity=Severity.CRITICAL if malware else severity_of(record, entry),
        message=f"{pin.name} {plain(pin.version)} is {'malware' if malware else 'vulnerable'}: {record.id}, {summary}",
        location=pin.location,
        remedy=_malware_remedy(pin) if malware else _remedy(pin, version, matched),
        advisory=record.id,
        aliases=tuple(plain(one) for one in sorted(group - {record.id})),
        component=Component(name=pin.name, version=pin.version, path=pin.path),
    )


def _malware_remedy(pin: Pin) -> str:
    return (
        f"Remove {pin.name} {plain(pin.version)}, treat every machine that installed it as compromised and change "
        "the credentials that it could read."
    )


def _remedy(pin: Pin, version: Version, matched: Entry) -> str:
    record, entry = matched
    later = sorted(fixed for fixed in fixed_versions(entry) if fixed > version)
    for fixed in later:
        if judge_entry(entry, fixed) is Outcome.UNAFFECTED:
            return f"Update {pin.name} to {fixed} or later, the lowest version in which {record.id} is fixed."
    return f"{record.id} names no fixed version above {plain(pin.version)}: replace {pin.name}, or waive it for a time."
