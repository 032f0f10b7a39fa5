"""SARIF 2.1.0, for code scanning: one run a check, one rule a rule id, undecided places as ``kind: open``.

Specification: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from weighbridge.evidence.record import CheckName, CheckRecord, Finding, Undecided
from weighbridge.report._text import clean, cut
from weighbridge.report.facts import TITLES, is_waived, requirements_of, worst_first
from weighbridge.report.interface import EvidenceView, ReportInput, RequirementView, VerdictView
from weighbridge.report.rules import INFORMATION, PROBLEM, REQUIREMENT, SIGNATURE, UNDECIDED, undecided_rule
from weighbridge.report.sarif_places import BASES, Spot, files_of, fingerprint, fingerprints, inside, location_of
from weighbridge.report.sarif_places import whole_model as in_model
from weighbridge.report.sarif_rules import LEVELS, rules_of

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
"""Where the schema of the format stands."""

MAX_MESSAGE: Final = 1000
"""Characters of one message."""

Json = dict[str, Any]

_KINDS: Final = {"satisfied": "pass", "failed": "fail", "undecided": "open"}


def render(report: ReportInput, /) -> str:
    """Return a SARIF log: a run for the verdict when there is one, then one run for each file of evidence."""
    runs = [_verdict_run(report.verdict, report)] if report.verdict else []
    runs += [_evidence_run(view, report) for view in report.evidence]
    if report.rejected:
        runs.append(_rejected_run(report))
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": runs}, indent=2, ensure_ascii=True) + "\n"


def _evidence_run(view: EvidenceView, report: ReportInput) -> Json:
    record = view.record
    requirements = requirements_of(record.check, report.verdict)
    files = files_of(record)
    found = [(finding, Spot.parse(finding.location, files=files)) for finding in worst_first(record.findings)]
    results = []
    for (finding, spot), prints in zip(found, fingerprints(record.check, found), strict=True):
        result = _finding(record.check, finding, spot, files.get(spot.file), report)
        result["partialFingerprints"] = prints
        if is_waived(finding, requirements):
            result["suppressions"] = [
                {"kind": "external", "status": "accepted", "justification": "waived by the policy"}
            ]
        results.append(result)
    for item in record.undecided:
        spot = Spot.parse(item.location, files=files)
        results.append(_undecided(record.check, item, spot, files.get(spot.file), report))
    if view.signature == "invalid":
        results.append(_signature(view.source, view.why, report))
    run = _run(record.check.value, record.tool.version, results, record.findings, check=record.check)
    run["invocations"] = [_invocation(record)]
    run["properties"] = {
        "model": clean(report.model),
        "digest": str(report.digest),
        "evidence": clean(view.source),
        "signature": view.signature,
        "signer": clean(view.signer) if view.signer else None,
    }
    return run


def _run(
    name: str,
    version: str,
    results: list[Json],
    findings: tuple[Finding, ...] = (),
    *,
    check: CheckName | None = None,
) -> Json:
    driver = {
        "name": f"weighbridge {name}",
        "version": clean(version),
        "informationUri": INFORMATION,
        "rules": rules_of(results, findings, check=check),
    }
    run: Json = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"weighbridge/{name}/"},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    artifacts = (place["physicalLocation"]["artifactLocation"] for result in results for place in result["locations"])
    bases = sorted({artifact["uriBaseId"] for artifact in artifacts if "uriBaseId" in artifact})
    if bases:
        run["originalUriBaseIds"] = {base: BASES[base] for base in bases}
    return run


def _finding(check: CheckName, finding: Finding, spot: Spot, size: int | None, report: ReportInput) -> Json:
    properties: Json = {"severity": finding.severity.value, "remedy": cut(finding.remedy, limit=MAX_MESSAGE)}
    if finding.about:
        properties["about"] = cut(finding.about)
    if finding.advisory:
        properties["advisory"] = cut(finding.advisory)
        properties["aliases"] = [cut(alias) for alias in finding.aliases]
    if finding.component:
        properties["component"] = {"name": cut(finding.component.name), "version": cut(finding.component.version)}
        properties["path"] = [cut(step) for step in finding.component.path]
    return {
        "ruleId": clean(finding.rule),
        "kind": "fail",
        "level": LEVELS[finding.severity],
        "message": {"text": escaped(f"{inside(spot)}{finding.message}")},
        "locations": [location_of(check, spot, finding.location, size=size, report=report)],
        "properties": properties,
    }


def _undecided(check: CheckName, item: Undecided, spot: Spot, size: int | None, report: ReportInput) -> Json:
    result: Json = {
        "ruleId": undecided_rule(item.code),
        "kind": "open",
        "level": "none",
        "message": {"text": escaped(f"{inside(spot)}{item.reason}")},
        "locations": [location_of(check, spot, item.location, size=size, report=report)],
        "partialFingerprints": fingerprint(check.value, UNDECIDED, item.location),
    }
    if item.remedy:
        result["properties"] = {"remedy": cut(item.remedy, limit=MAX_MESSAGE)}
    return result


def _signature(source: str, why: str, report: ReportInput) -> Json:
    # A verdict that passed did so without this file.
    passed = report.verdict is not None and report.verdict.verdict == "passed"
    return {
        "ruleId": SIGNATURE,
        "kind": "fail",
        "level": "warning" if passed else "error",
        "message": {"text": escaped(f"{source}: {why or 'the signature does not hold'}")},
        "locations": [in_model(report, about=source or "evidence")],
        "partialFingerprints": fingerprint(SIGNATURE, source),
    }


def _rejected_run(report: ReportInput) -> Json:
    return _run("evidence", "1", [_signature(item.source, item.reason, report) for item in report.rejected])


def _verdict_run(view: VerdictView, report: ReportInput) -> Json:
    results = [_requirement(item, report) for item in view.requirements]
    results += [_problem(problem, report) for problem in view.problems]
    run = _run("gate", "1", results)
    run["properties"] = {
        "verdict": view.verdict,
        "policy": clean(view.policy_name),
        "policyDigest": clean(view.policy_digest),
        "policyMode": clean(view.policy_mode),
        "weaknesses": [clean(item) for item in view.weaknesses],
        "validUntil": clean(view.valid_until),
    }
    return run


def _requirement(item: RequirementView, report: ReportInput) -> Json:
    kind = _KINDS[item.state]
    text = f"{TITLES[item.check]}: {item.reason}" + (f" Next step: {item.remedy}" if item.remedy else "")
    return {
        "ruleId": f"{REQUIREMENT}/{item.check}",
        "kind": kind,
        "level": "error" if kind == "fail" else "none",
        "message": {"text": escaped(text)},
        "locations": [in_model(report, about=f"policy:{item.line or 0}")],
        "partialFingerprints": fingerprint(REQUIREMENT, item.check.value, str(item.line or 0)),
        "properties": {"waived": [cut(identifier) for identifier in item.waived]},
    }


def _problem(text: str, report: ReportInput) -> Json:
    return {
        "ruleId": PROBLEM,
        "kind": "open",
        "level": "none",
        "message": {"text": escaped(text)},
        "locations": [in_model(report, about="verdict")],
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
