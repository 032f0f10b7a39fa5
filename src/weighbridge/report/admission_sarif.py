"""The report of `weighbridge check` as SARIF 2.1.0: one result for each reason to hold a pod, at its line."""

from __future__ import annotations

import hashlib
import json
from typing import Final
from urllib.parse import quote

from weighbridge.report._text import clean, cut
from weighbridge.report.admission import AdmissionReport, CheckedPod, PlacedReason
from weighbridge.report.rules import INFORMATION, UNDECIDED
from weighbridge.report.sarif import SCHEMA, Json, escaped

_LEVELS: Final = {"enforce": "error", "warn": "warning", "audit": "note"}


def render(report: AdmissionReport, *, version: str) -> str:
    """Return a SARIF log of one run."""
    results = [_held(pod, reason) for pod in report.pods for reason in pod.reasons]
    results += [_undecided(item.file, item.reason, item.remedy) for item in report.undecided]
    rules = sorted({str(result["ruleId"]) for result in results})
    for result in results:
        result["ruleIndex"] = rules.index(result["ruleId"])
    driver = {
        "name": "weighbridge check",
        "version": clean(version),
        "informationUri": INFORMATION,
        "rules": [{"id": rule, "shortDescription": {"text": rule.replace("-", " ")}} for rule in rules],
    }
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": "weighbridge/check/"},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=True) + "\n"


def _held(pod: CheckedPod, reason: PlacedReason) -> Json:
    whose = f"{pod.kind} {pod.name or 'without a name'} in the namespace {pod.namespace}"
    return {
        "ruleId": reason.code,
        "kind": "fail",
        "level": _LEVELS[pod.mode],
        "message": {"text": escaped(f"{whose}: {reason.message}. Next step: {reason.remedy}")},
        "locations": [_location(pod.file, reason.line, reason.path)],
        "partialFingerprints": {"weighbridge/v1": _sum(pod.file, whose, reason.code, reason.path)},
        "properties": {"mode": pod.mode, "policy": clean(pod.policy or "")},
    }


def _undecided(file: str, reason: str, remedy: str) -> Json:
    return {
        "ruleId": UNDECIDED,
        "kind": "open",
        "level": "none",
        "message": {"text": escaped(f"{reason}. Next step: {remedy}" if remedy else reason)},
        "locations": [_location(file, 1, "")],
        "partialFingerprints": {"weighbridge/v1": _sum(file, UNDECIDED)},
    }


def _location(file: str, line: int, path: str) -> Json:
    place: Json = {
        "physicalLocation": {"artifactLocation": {"uri": quote(file, safe="/")}, "region": {"startLine": line}}
    }
    if path:
        place["logicalLocations"] = [{"fullyQualifiedName": cut(path)}]
    return place


def _sum(*parts: str) -> str:
    return hashlib.sha256("\n".join(clean(part) for part in parts).encode()).hexdigest()
