"""JUnit XML, for continuous integration: one suite a check, one case a requirement, finding or undecided place.

There is no standard; this keeps to what Jenkins, GitLab and GitHub actions read: suites, cases, ``failure`` and
``error``. What is undecided is an error, so that it never counts as passed or skipped.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Literal
from xml.etree import ElementTree

from weighbridge.clock import parse_instant
from weighbridge.errors import ParseError
from weighbridge.evidence.record import CheckName, CheckRecord
from weighbridge.report._text import clean, cut
from weighbridge.report.facts import worst_first
from weighbridge.report.interface import EvidenceView, ReportInput, RequirementView, State
from weighbridge.report.rules import undecided_name
from weighbridge.report.words import plainly

MAX_CASES: Final = 2_000
"""Cases of one kind in one suite; readers of this format slow down beyond."""

_Outcome = Literal["passed", "failure", "error"]

_OUTCOMES: Final[dict[State, _Outcome]] = {"satisfied": "passed", "failed": "failure", "undecided": "error"}


def render(report: ReportInput, /) -> str:
    """Return one document with a suite for every check that has evidence or a requirement."""
    root = ElementTree.Element("testsuites", name=clean(f"weighbridge {report.model}"))
    wanted = report.verdict.requirements if report.verdict else ()
    present = {view.record.check for view in report.evidence} | {item.check for item in wanted}
    for check in CheckName:
        if check in present:
            views = tuple(view for view in report.evidence if view.record.check is check)
            _suite(root, check, report, views, tuple(item for item in wanted if item.check is check))
    _whole(root, report)
    for key, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
        root.set(key, str(sum(1 for _ in root.iter(tag))))
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _suite(
    root: ElementTree.Element,
    check: CheckName,
    report: ReportInput,
    views: tuple[EvidenceView, ...],
    requirements: tuple[RequirementView, ...],
) -> None:
    suite = ElementTree.SubElement(root, "testsuite", name=check.value)
    properties = ElementTree.SubElement(suite, "properties")
    _property(properties, "digest", str(report.digest))
    for item in requirements:
        outcome = _OUTCOMES[item.state]
        name = f"requirement (policy line {item.line})" if item.line else "requirement"
        shown = item.reason if outcome != "passed" else ""
        _case(suite, name, outcome, message=shown, text=item.remedy)
    for view in views:
        _property(properties, "evidence", f"{view.source} ({view.signature}, signer {view.signer or 'unknown'})")
        _evidence(suite, view, requirements)
    duration = sum((_duration(view.record) for view in views), timedelta())
    _close(suite, seconds=duration.total_seconds())


def _evidence(suite: ElementTree.Element, view: EvidenceView, requirements: tuple[RequirementView, ...]) -> None:
    record = view.record
    # A finding that the policy lets pass must not turn a build red that the gate lets through.
    allowed = bool(requirements) and all(item.state == "satisfied" for item in requirements)
    fails: _Outcome = "passed" if allowed else "failure"
    if view.signature == "invalid":
        outcome: _Outcome = "passed" if allowed else "error"
        _case(suite, f"signature of {view.source}", outcome, message=view.why or "the signature does not hold")
    for finding in worst_first(record.findings)[:MAX_CASES]:
        name = " ".join(part for part in (finding.rule, finding.advisory, finding.location) if part)
        _case(suite, name, fails, message=f"{finding.severity}: {finding.message}", text=finding.remedy)
    for item in record.undecided[:MAX_CASES]:
        _case(
            suite,
            f"{undecided_name(item.code)} {item.location}",
            "error",
            message=plainly(item.reason),
            text=item.remedy,
        )
    hidden = max(len(record.findings) - MAX_CASES, 0) + max(len(record.undecided) - MAX_CASES, 0)
    if hidden:
        _case(suite, "findings that are not listed", fails, message=f"{hidden} more are not listed here")
    if record.measurements is None and not record.undecided:
        _case(suite, "measurements", "error", message="the check measured nothing")
    if not record.findings and not record.undecided and record.measurements is not None:
        _case(suite, f"nothing found ({view.source})", "passed")


def _whole(root: ElementTree.Element, report: ReportInput) -> None:
    problems = report.verdict.problems if report.verdict else ()
    weaknesses = report.verdict.weaknesses if report.verdict else ()
    if not problems and not weaknesses and not report.rejected and len(root):
        return
    suite = ElementTree.SubElement(root, "testsuite", name="evidence")
    for sentence in weaknesses:
        _case(suite, "mind", "passed", message=sentence)
    for problem in problems:
        _case(suite, "verdict", "error", message=problem)
    # A file about another model, left beside this one, does not undo a verdict that passed without it.
    passed = report.verdict is not None and report.verdict.verdict == "passed"
    for item in report.rejected:
        _case(suite, f"evidence {item.source}", "passed" if passed else "error", message=item.reason, text=item.remedy)
    if not len(suite):
        _case(suite, "evidence", "error", message="there is no evidence and no requirement")
    _close(suite, seconds=0.0)


def _case(suite: ElementTree.Element, name: str, outcome: _Outcome, *, message: str = "", text: str = "") -> None:
    case = ElementTree.SubElement(
        suite, "testcase", name=cut(name) or "unnamed", classname=f"weighbridge.{suite.get('name')}"
    )
    if outcome != "passed":
        element = ElementTree.SubElement(case, outcome, message=cut(message), type=str(suite.get("name")))
        element.text = cut(text)
    elif message:
        ElementTree.SubElement(case, "system-out").text = cut(f"the policy holds all the same: {message}")


def _property(properties: ElementTree.Element, name: str, value: str) -> None:
    ElementTree.SubElement(properties, "property", name=name, value=cut(value))


def _close(suite: ElementTree.Element, *, seconds: float) -> None:
    for key, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
        suite.set(key, str(sum(1 for _ in suite.iter(tag))))
    suite.set("skipped", "0")
    suite.set("time", f"{seconds:.3f}")


def _duration(record: CheckRecord) -> timedelta:
    try:
        spent = parse_instant(record.finished, what="finished") - parse_instant(record.started, what="started")
    except ParseError:
        return timedelta()
    return max(spent, timedelta())
