"""SARIF 2.1.0, for code scanning: one run a check, one rule a rule id, undecided places as ``kind: open``.

Specification: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Final
from urllib.parse import quote

from weighbridge.evidence.record import CheckName, CheckRecord, Finding, Severity, Undecided
from weighbridge.report._text import clean, cut
from weighbridge.report.facts import TITLES, is_waived, requirements_of, worst_first
from weighbridge.report.interface import EvidenceView, ReportInput, RequirementView, VerdictView

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
"""Where the schema of the format stands."""

INFORMATION: Final = "https://weighbridge.dev"
UNDECIDED_RULE: Final = "undecided"
"""Rule of everything that could not be judged."""

SIGNATURE_RULE: Final = "signature-invalid"
"""Rule of evidence whose signature does not hold, or that does not count at all."""

MAX_MESSAGE: Final = 1000
"""Characters of one message."""

Json = dict[str, Any]

_LEVELS: Final[dict[Severity, str]] = {
    # Unknown is not low: it is shown as an error until somebody decides.
    Severity.UNKNOWN: "error",
    Severity.LOW: "note",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "error",
    Severity.CRITICAL: "error",
}
_SCORES: Final[dict[Severity, str]] = {
    # Middles of the bands by which code scanning names a severity; unknown has no score.
    Severity.LOW: "3.0",
    Severity.MEDIUM: "5.5",
    Severity.HIGH: "8.0",
    Severity.CRITICAL: "9.5",
}
_KINDS: Final = {"satisfied": "pass", "failed": "fail", "undecided": "open"}
_PLACE: Final = re.compile(r"(?P<path>.+?):(?P<number>[0-9]{1,15})")
_NOT_RELATIVE: Final = re.compile(r"/|[A-Za-z][A-Za-z0-9+.-]*://|(?:.*/)?\.\.?(?:/|$)")


def render(report: ReportInput, /) -> str:
    """Return a SARIF log: a run for the verdict when there is one, then one run for each file of evidence."""
    runs = [_verdict_run(report.verdict)] if report.verdict else []
    runs += [_evidence_run(view, report) for view in report.evidence]
    if report.rejected:
        runs.append(_rejected_run(report))
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": runs}, indent=2, ensure_ascii=True) + "\n"


def _evidence_run(view: EvidenceView, report: ReportInput) -> Json:
    record = view.record
    requirements = requirements_of(record.check, report.verdict)
    results = []
    for finding in worst_first(record.findings):
        result = _finding(record.check, finding)
        if is_waived(finding, requirements):
            result["suppressions"] = [
                {"kind": "external", "status": "accepted", "justification": "waived by the policy"}
            ]
        results.append(result)
    results += [_undecided(record.check, item) for item in record.undecided]
    if view.signature == "invalid":
        results.append(_signature(view.source, view.why, verdict=report.verdict))
    run = _run(record.check.value, version=record.tool.version, results=results, findings=record.findings)
    run["invocations"] = [_invocation(record)]
    run["properties"] = {
        "model": clean(report.model),
        "digest": str(report.digest),
        "evidence": clean(view.source),
        "signature": view.signature,
        "signer": clean(view.signer) if view.signer else None,
    }
    return run


def _run(name: str, *, version: str, results: list[Json], findings: tuple[Finding, ...] = ()) -> Json:
    rules: dict[str, list[Finding]] = {result["ruleId"]: [] for result in results}
    for finding in findings:
        rules[clean(finding.rule)].append(finding)
    places = {identifier: place for place, identifier in enumerate(rules)}
    for result in results:
        result["ruleIndex"] = places[result["ruleId"]]
    driver = {
        "name": f"weighbridge {name}",
        "version": clean(version),
        "informationUri": INFORMATION,
        "rules": [_rule(identifier, mine) for identifier, mine in rules.items()],
    }
    return {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"weighbridge/{name}/"},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }


def _rule(identifier: str, mine: list[Finding]) -> Json:
    rule: Json = {"id": identifier, "shortDescription": {"text": identifier.replace("-", " ")}}
    if not mine:
        return rule
    worst = worst_first(tuple(mine))[0].severity
    if any(finding.severity is Severity.UNKNOWN for finding in mine):
        worst = max(worst, Severity.HIGH, key=lambda severity: severity.rank)
    rule["help"] = {"text": cut(mine[0].remedy, limit=MAX_MESSAGE) or "See the message of the result."}
    rule["defaultConfiguration"] = {"level": _LEVELS[worst]}
    rule["properties"] = {"tags": ["security"], "security-severity": _SCORES[worst]}
    return rule


def _finding(check: CheckName, finding: Finding) -> Json:
    properties: Json = {"severity": finding.severity.value, "remedy": cut(finding.remedy, limit=MAX_MESSAGE)}
    if finding.advisory:
        properties["advisory"] = cut(finding.advisory)
        properties["aliases"] = [cut(alias) for alias in finding.aliases]
    if finding.component:
        properties["component"] = {"name": cut(finding.component.name), "version": cut(finding.component.version)}
        properties["path"] = [cut(step) for step in finding.component.path]
    return {
        "ruleId": clean(finding.rule),
        "kind": "fail",
        "level": _LEVELS[finding.severity],
        "message": {"text": escaped(finding.message)},
        "locations": [_location(check, finding.location)],
        "partialFingerprints": {"weighbridge/v1": _fingerprint(check, finding)},
        "properties": properties,
    }


def _undecided(check: CheckName, item: Undecided) -> Json:
    return {
        "ruleId": UNDECIDED_RULE,
        "kind": "open",
        "level": "none",
        "message": {"text": escaped(item.reason)},
        "locations": [_location(check, item.location)],
        "partialFingerprints": {"weighbridge/v1": _sha256(check.value, UNDECIDED_RULE, item.location)},
    }


def _signature(source: str, why: str, *, verdict: VerdictView | None) -> Json:
    # A verdict that passed did so without this file.
    passed = verdict is not None and verdict.verdict == "passed"
    return {
        "ruleId": SIGNATURE_RULE,
        "kind": "fail",
        "level": "warning" if passed else "error",
        "message": {"text": escaped(f"{source}: {why or 'the signature does not hold'}")},
        "locations": [{"logicalLocations": [{"fullyQualifiedName": cut(source) or "evidence"}]}],
        "partialFingerprints": {"weighbridge/v1": _sha256(SIGNATURE_RULE, source)},
    }


def _rejected_run(report: ReportInput) -> Json:
    results = [_signature(item.source, item.reason, verdict=report.verdict) for item in report.rejected]
    return _run("evidence", version="1", results=results)


def _verdict_run(view: VerdictView) -> Json:
    results = [_requirement(item) for item in view.requirements]
    results += [_problem(problem) for problem in view.problems]
    run = _run("gate", version="1", results=results)
    run["properties"] = {
        "verdict": view.verdict,
        "policy": clean(view.policy_name),
        "policyDigest": clean(view.policy_digest),
        "policyMode": clean(view.policy_mode),
        "weaknesses": [clean(item) for item in view.weaknesses],
        "validUntil": clean(view.valid_until),
    }
    return run


def _requirement(item: RequirementView) -> Json:
    kind = _KINDS[item.state]
    text = f"{TITLES[item.check]}: {item.reason}" + (f" Next step: {item.remedy}" if item.remedy else "")
    return {
        "ruleId": f"requirement/{item.check}",
        "kind": kind,
        "level": "error" if kind == "fail" else "none",
        "message": {"text": escaped(text)},
        "locations": [{"logicalLocations": [{"fullyQualifiedName": f"policy:{item.line or 0}"}]}],
        "properties": {"waived": [cut(identifier) for identifier in item.waived]},
    }


def _problem(text: str) -> Json:
    return {
        "ruleId": "verdict-problem",
        "kind": "open",
        "level": "none",
        "message": {"text": escaped(text)},
        "locations": [{"logicalLocations": [{"fullyQualifiedName": "verdict"}]}],
    }


def _invocation(record: CheckRecord) -> Json:
    decided = record.measurements is not None
    invocation: Json = {
        "executionSuccessful": decided,
        "properties": {"confinement": cut(record.confinement.summary)},
    }
    if _is_instant(record.started) and _is_instant(record.finished):
        invocation |= {"startTimeUtc": record.started, "endTimeUtc": record.finished}
    if not decided:
        text = "The check measured nothing: " + "; ".join(item.reason for item in record.undecided[:3])
        invocation["toolExecutionNotifications"] = [{"level": "error", "message": {"text": escaped(text)}}]
    return invocation


def _is_instant(text: str) -> bool:
    return re.fullmatch(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z", text) is not None


def escaped(text: str) -> str:
    """Return text for a message, cut, without what SARIF would take for a link."""
    # Square brackets make links in SARIF messages (3.11.6); escaped, they are text.
    shown = cut(text, limit=MAX_MESSAGE).replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    return shown or "no text was given"


def _location(check: CheckName, text: str) -> Json:
    """Return a physical location for a relative path inside the model or input, else a logical one with the text.

    A number behind a colon is the offset of a byte in a scanned model, and a line in an audited file.
    """
    match = _PLACE.fullmatch(text)
    path, number = (match["path"], int(match["number"])) if match else (text, None)
    if path != clean(path) or _NOT_RELATIVE.match(path) or not path:
        return {"logicalLocations": [{"fullyQualifiedName": cut(text) or "unknown"}]}
    place: Json = {"artifactLocation": {"uri": quote(path, safe="/"), "uriBaseId": "MODEL"}}
    if check is CheckName.DEPENDENCY_AUDIT:
        place["artifactLocation"].pop("uriBaseId")
        if number:
            place["region"] = {"startLine": number}
    elif number is not None:
        place["region"] = {"byteOffset": number}
    return {"physicalLocation": place}


def _fingerprint(check: CheckName, finding: Finding) -> str:
    component = f"{finding.component.name}=={finding.component.version}" if finding.component else ""
    return _sha256(check.value, finding.rule, finding.location, finding.advisory or "", component)


def _sha256(*parts: str) -> str:
    summary = hashlib.sha256()
    for part in parts:
        data = part.encode(errors="surrogatepass")
        summary.update(len(data).to_bytes(8, "big") + data)
    return summary.hexdigest()
