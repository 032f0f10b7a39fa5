"""What the page shows, as values: counts are limited, pictures decoded and charts computed before the template."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from weighbridge.evidence.measurements import (
    AuditedComponent,
    DependencyAuditMeasurements,
    LeakageEntry,
    LeakageMeasurements,
    ModelScanMeasurements,
    Picture,
    RateAtFpr,
    RobustnessEntry,
    RobustnessMeasurements,
)
from weighbridge.evidence.record import CheckName, CheckRecord, Finding, Severity, Undecided
from weighbridge.report._text import clean_block
from weighbridge.report.coverage import worst_files_first
from weighbridge.report.facts import (
    SEVERITIES,
    TITLES,
    count_severities,
    is_waived,
    outcome_of,
    requirements_of,
    result_of,
)
from weighbridge.report.groups import Group, group_findings, group_undecided
from weighbridge.report.html.charts import Chart, accuracy_chart, roc_chart
from weighbridge.report.html.png import data_uri, decode_pixels, encode_grey
from weighbridge.report.interface import EvidenceView, ReportInput, RequirementView, Result, State
from weighbridge.report.rules import undecided_name
from weighbridge.report.summary import CONFIDENCE, interval, key_figure, percent

MAX_ROWS: Final = 500
"""Rows of one table: kinds of findings, reasons of undecided places, or files."""

MAX_MESSAGES: Final = 5
"""Messages of findings of one kind, where they differ, and files and members, that are shown."""

MAX_NAMES: Final = 20
"""Names of findings of one kind, and places of one reason, that are shown."""

MAX_EACH: Final = 100
"""Findings of one kind that are listed one by one."""

MAX_COMPONENTS: Final = 1_000
"""Components of one audit that are listed."""

MAX_PICTURES: Final = 12
"""Pictures of one attacked file."""

MAX_ENTRIES: Final = 20
"""Examined files of one check that are drawn."""

MAX_RAW: Final = 262_144
"""Characters of a record's JSON that stand in the page."""

_SAME: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows of one table, and how many more there are."""

    items: tuple[Any, ...]
    hidden: int

    @classmethod
    def of(cls, items: tuple[Any, ...], *, limit: int = MAX_ROWS) -> Rows:
        """Keep as many as the limit allows."""
        return cls(items=items[:limit], hidden=max(len(items) - limit, 0))


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
class PictureView:
    """One example: as it was, as the attack made it, and the difference; None for what cannot be decoded."""

    clean: str | None
    adversarial: str | None
    difference: str | None
    picture: Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackedFile:
    """One attacked file with its figures."""

    entry: RobustnessEntry
    share: str
    low: str
    high: str
    clean_share: str
    chart: Chart | None
    pictures: tuple[PictureView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminedFile:
    """One file examined for leakage."""

    entry: LeakageEntry
    chart: Chart | None
    rates: tuple[RateAtFpr, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One check as the page shows it."""

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
        attacked=_attacked(record, measurements) if isinstance(measurements, RobustnessMeasurements) else Rows.of(()),
        examined=_examined(measurements) if isinstance(measurements, LeakageMeasurements) else Rows.of(()),
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


def _attacked(record: CheckRecord, measurements: RobustnessMeasurements) -> Rows:
    wanted = record.parameters.get("atLeast", record.parameters.get("at_least"))
    limit = float(wanted) if isinstance(wanted, float) else None
    kept = tuple(_attacked_file(entry, limit=limit) for entry in measurements.entries[:MAX_ENTRIES])
    return Rows(items=kept, hidden=len(measurements.entries) - len(kept))


def _attacked_file(entry: RobustnessEntry, *, limit: float | None) -> AttackedFile:
    low, high = interval(entry.survived, entry.examples)
    return AttackedFile(
        entry=entry,
        share=percent(min(entry.survived / entry.examples, 1.0)) if entry.examples else "no example",
        low=percent(low),
        high=percent(high),
        clean_share=percent(min(entry.correct / entry.examples, 1.0)) if entry.examples else "no example",
        chart=accuracy_chart(entry.curve, examples=entry.examples, limit=limit),
        pictures=tuple(_picture(item) for item in entry.pictures[:MAX_PICTURES]),
    )


def _picture(picture: Picture) -> PictureView:
    width, height = picture.width, picture.height
    before = decode_pixels(picture.clean, width=width, height=height)
    after = decode_pixels(picture.adversarial, width=width, height=height)
    difference = None
    if before is not None and after is not None:
        # Grey is no change; lighter and darker are more and less, twice as strong as they are.
        changed = bytes(min(255, max(0, 128 + 2 * (new - old))) for old, new in zip(before, after, strict=True))
        difference = _image(changed, width, height)
    return PictureView(
        clean=_image(before, width, height),
        adversarial=_image(after, width, height),
        difference=difference,
        picture=picture,
    )


def _image(pixels: bytes | None, width: int, height: int) -> str | None:
    return data_uri(encode_grey(pixels, width=width, height=height)) if pixels is not None else None


def _examined(measurements: LeakageMeasurements) -> Rows:
    kept = tuple(_examined_file(entry) for entry in measurements.entries[:MAX_ENTRIES])
    return Rows(items=kept, hidden=len(measurements.entries) - len(kept))


def _examined_file(entry: LeakageEntry) -> ExaminedFile:
    # Bars at several confidences would lie over each other, so the drawing has one and the table has all.
    drawn = [rate for rate in entry.rates if abs(rate.confidence - CONFIDENCE) < _SAME]
    return ExaminedFile(
        entry=entry,
        chart=roc_chart(entry.roc, drawn[:MAX_ROWS]),
        rates=tuple(sorted(entry.rates, key=lambda rate: (rate.fpr, rate.confidence)))[:MAX_ROWS],
    )
