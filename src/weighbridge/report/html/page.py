"""What the page shows, as values: counts are limited, pictures decoded and charts computed before the template."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

import msgspec

from weighbridge.evidence.measurements import (
    AuditedComponent,
    DependencyAuditMeasurements,
    LeakageMeasurements,
    ModelScanMeasurements,
    RobustnessMeasurements,
    inputs_of,
)
from weighbridge.evidence.record import CheckName, CheckRecord, Finding, Severity, Undecided
from weighbridge.report._text import clean_block
from weighbridge.report.coverage import worst_files_first
from weighbridge.report.facts import (
    INPUTS,
    SEVERITIES,
    TITLES,
    count_severities,
    is_waived,
    outcome_of,
    requirements_of,
    result_of,
)
from weighbridge.report.groups import Group, group_findings, group_undecided
from weighbridge.report.html.figures import attacked, examined
from weighbridge.report.html.rows import MAX_ENTRIES, Rows
from weighbridge.report.interface import EvidenceView, ReportInput, RequirementView, Result, State
from weighbridge.report.repeat import check_command
from weighbridge.report.rules import undecided_name
from weighbridge.report.summary import key_figure

MAX_MESSAGES: Final = 5
"""Messages of findings of one kind, where they differ, and files and members, that are shown."""

MAX_NAMES: Final = 20
"""Names of findings of one kind, and places of one reason, that are shown."""

MAX_EACH: Final = 100
"""Findings of one kind that are listed one by one."""

MAX_COMPONENTS: Final = 1_000
"""Components of one audit that are listed."""

MAX_RAW: Final = 262_144
"""Characters of a record's JSON that stand in the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRow:
    """Findings of one kind and whether the policy waives them.

    ``finding`` is the first of them, and stands for what they have in common.
    """

    finding: Finding
    name: str
    count: int
    messages: Rows
    names: Rows
    places: Rows
    each: Rows
    place: int
    waived: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRow:
    """Places that could not be judged for one reason."""

    name: str
    reason: str
    remedy: str
    count: int
    places: Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRow:
    """One file that a check read beside the model."""

    title: str
    name: str
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One check as the page shows it; ``command`` runs it again."""

    anchor: str
    title: str
    view: EvidenceView
    record: CheckRecord
    outcome: str
    result: Result
    state: State | None
    counts: bool
    figure: str
    severities: tuple[tuple[Severity, int], ...]
    findings: Rows
    undecided: Rows
    files: Rows | None
    components: Rows | None
    attacked: Rows
    examined: Rows
    inputs: Rows
    command: str
    raw: str
    raw_hidden: int


def sections_of(report: ReportInput) -> tuple[Section, ...]:
    """Return one section for each file of evidence, in the order of the policy, and what counts before the rest."""
    wanted = [item.check for item in report.verdict.requirements] if report.verdict else []
    order = {check: place for place, check in reversed(list(enumerate([*wanted, *CheckName])))}
    views = sorted(report.evidence, key=lambda view: (order[view.record.check], view.signature != "verified"))
    return tuple(_section(place, view, report) for place, view in enumerate(views))


def _section(place: int, view: EvidenceView, report: ReportInput) -> Section:
    record = view.record
    requirements = requirements_of(record.check, report.verdict)
    measurements = record.measurements
    raw = json.dumps(msgspec.to_builtins(record), indent=2, ensure_ascii=False)
    rows = tuple(_finding_row(group, requirements) for group in group_findings(record.findings))
    return Section(
        anchor=f"check-{place}",
        title=TITLES[record.check],
        view=view,
        record=record,
        outcome=outcome_of(record),
        result=result_of(record),
        # Evidence that did not count has no part in what became of the requirement.
        state=_worst_state(requirements) if view.signature == "verified" else None,
        counts=report.verdict is None or view.signature == "verified",
        figure=key_figure(record),
        severities=count_severities(record.findings),
        findings=Rows.of(rows),
        undecided=Rows.of(_undecided(record)),
        files=Rows.of(worst_files_first(measurements.files))
        if isinstance(measurements, ModelScanMeasurements)
        else None,
        components=_components(measurements.components)
        if isinstance(measurements, DependencyAuditMeasurements)
        else None,
        attacked=attacked(record, measurements) if isinstance(measurements, RobustnessMeasurements) else Rows.of(()),
        examined=examined(measurements) if isinstance(measurements, LeakageMeasurements) else Rows.of(()),
        inputs=_inputs(record),
        command=check_command(record, model=report.model),
        raw=clean_block(raw[:MAX_RAW]),
        raw_hidden=max(len(raw) - MAX_RAW, 0),
    )


def _worst_state(requirements: tuple[RequirementView, ...]) -> State | None:
    states = {item.state for item in requirements}
    worst: tuple[State, ...] = ("failed", "undecided", "satisfied")
    return next((state for state in worst if state in states), None)


def _finding_row(group: Group, requirements: tuple[RequirementView, ...]) -> FindingRow:
    return FindingRow(
        finding=group.first,
        name=group.name,
        count=group.count,
        messages=Rows.of(group.messages, limit=MAX_MESSAGES),
        names=Rows.of(group.names if group.count > 1 else (), limit=MAX_NAMES),
        places=Rows.of(group.places, limit=MAX_MESSAGES),
        each=Rows.of(group.findings, limit=MAX_EACH),
        place=SEVERITIES.index(group.severity),
        waived=is_waived(group.first, requirements),
    )


def _undecided(record: CheckRecord) -> tuple[OpenRow, ...]:
    places = record.undecided
    if not places and record.measurements is None:
        places = (Undecided(location="check", reason="the check measured nothing and gave no reason"),)
    return tuple(
        OpenRow(
            name=undecided_name(item.code) if item.code else "",
            reason=item.reason,
            remedy=item.remedy,
            count=len(item.places),
            places=Rows.of(item.places, limit=MAX_NAMES),
        )
        for item in group_undecided(places)
    )


def _components(components: tuple[AuditedComponent, ...]) -> Rows:
    return Rows.of(components, limit=MAX_COMPONENTS)


def _inputs(record: CheckRecord) -> Rows:
    inputs = inputs_of(record.measurements)
    return Rows.of(
        tuple(
            InputRow(
                title=INPUTS[item.role] if item.role is not None else "input",
                name=item.name,
                sha256=item.sha256,
                rows=item.rows,
            )
            for item in inputs
        ),
        limit=MAX_ENTRIES,
    )
