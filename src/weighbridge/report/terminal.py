"""Reports for a terminal, as values that rich prints: tables in colour, or plain text where there is no terminal.

Texts from evidence are cleaned of escapes and put into ``Text``, so no mark-up of theirs is ever read. Whether there
are colours is decided by the console that prints (terminal or not, ``NO_COLOR``), not here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from weighbridge.evidence.measurements import (
    DependencyAuditMeasurements,
    FileCoverage,
    LeakageMeasurements,
    ModelScanMeasurements,
    RobustnessMeasurements,
)
from weighbridge.evidence.record import CheckName, Finding, Severity, Undecided
from weighbridge.report._text import MAX_SHOWN, cut, plural, short_digests
from weighbridge.report.check_json import CheckReport, check_report
from weighbridge.report.coverage import accounted, worst_files_first
from weighbridge.report.data_words import data_notes
from weighbridge.report.facts import MEANINGS, RESULT_OF, SEVERITIES, SIGNATURES, TITLES, told_aside
from weighbridge.report.groups import counted, group_findings, group_undecided, listed
from weighbridge.report.interface import EvidenceView, ReportInput, Result, VerdictView
from weighbridge.report.rules import reason_page, undecided_name
from weighbridge.report.summary import figure_of

if TYPE_CHECKING:
    from rich.console import Group, RenderableType
    from rich.table import Table

MAX_ROWS: Final = 50
"""Kinds of findings, and of undecided places, that are listed; ``--format json`` has all."""

MAX_NAMES: Final = 20
"""Names that are listed of findings of one kind."""

MAX_MESSAGES: Final = 3
"""Messages that are shown of findings of one kind, where they differ."""

MAX_PLACES: Final = 4
"""Places that are shown of one kind."""

MAX_FILES: Final = 10
"""Files of a scanned model that are listed, the worst first."""

_DIR_HASH: Final = "the digest of the whole model: names and bytes of all files"

_STYLES: Final[dict[Result, str]] = {"passed": "bold green", "failed": "bold red", "undecided": "bold yellow"}
_MEANS: Final[dict[str, Result]] = {"clean": "passed", "refused": "failed", "undecided": "undecided"}
_FOUND: Final[dict[Result, str]] = {"passed": "nothing found", "failed": "findings", "undecided": "undecided"}
_SEVERITY_STYLES: Final[dict[Severity, str]] = {
    Severity.UNKNOWN: "magenta",
    Severity.LOW: "cyan",
    Severity.MEDIUM: "yellow",
    Severity.HIGH: "red",
    Severity.CRITICAL: "bold red",
}


def _answer(report: CheckReport) -> str:
    # These find nothing by themselves: only a limit makes something of their figures.
    measured = report.verdict == "passed" and isinstance(
        report.measurements, RobustnessMeasurements | LeakageMeasurements
    )
    return "measured, and no limit was applied" if measured else _FOUND[report.verdict]


def render_check(report: CheckReport, *, least: Severity | None = None) -> Group:
    """Return the report of one check for a terminal.

    With ``least`` findings below it are counted and not shown; one of unknown severity may be anything, so it is.
    """
    from rich.console import Group
    from rich.text import Text

    check = next(name for name in CheckName if f"/{name}-report/" in report.schema)
    head = Text.assemble(
        (TITLES[check], "bold"),
        " of ",
        (cut(report.subject.name) or "the model", "bold"),
        ": ",
        # Without a policy nothing has passed.
        (_answer(report), _STYLES[report.verdict]),
    )
    parts: list[RenderableType] = [head, Text(f"dirHash:{report.subject.digest.dir_hash} ({_DIR_HASH})", style="dim")]
    parts.append(Text(figure_of(report.measurements, findings=report.findings)))
    parts += [Text(note, style="dim") for note in data_notes(report.measurements)]
    if isinstance(report.measurements, DependencyAuditMeasurements):
        parts += _packages(report.findings, built=report.measurements.database.built)
    if report.findings:
        parts += [Text(), *_findings_from(report.findings, least)]
    if report.undecided:
        parts += [Text(), _undecided(report.undecided)]
    if isinstance(report.measurements, ModelScanMeasurements):
        parts += [Text(), _files(report.measurements.files)]
    return Group(*parts)


def _packages(findings: tuple[Finding, ...], *, built: str) -> list[RenderableType]:
    """Return how old the advisories are, and what to do about each package."""
    from rich.text import Text

    from weighbridge.report.packages import advise  # versions are slow to import, and few reports need them

    parts: list[RenderableType] = [Text(f"advisories as of {cut(built)}", style="dim")]
    advice = advise(findings)
    if len(findings) > 1 and advice:
        table = _table("package", "advisories", "what to do")
        for one in advice[:MAX_SHOWN]:
            style = _SEVERITY_STYLES[one.worst]
            table.add_row(Text(f"{cut(one.name)} {cut(one.version)}", style=style), Text(one.counted), Text(one.step))
        parts += [Text(), table]
    return parts


def render_verdict(view: VerdictView) -> Group:
    """Return a verdict for a terminal: every requirement with what became of it, and what to do."""
    from rich.console import Group
    from rich.text import Text

    table = _table("requirement", "state", "why")
    # Nothing is green in a verdict that refuses: a reader who sees little sees colours.
    satisfied = _STYLES["passed"] if view.verdict == "passed" else "dim"
    for item in view.requirements:
        why = Text(cut(short_digests(item.reason)))
        if item.waived:
            why.append(f"\nwaived: {cut(', '.join(item.waived))}", style="dim")
        for said in (*item.inputs, *item.notes):
            why.append(f"\n{cut(said)}", style="dim")
        if item.remedy:
            why.append(f"\nnext step: {cut(item.remedy)}", style="italic")
        place = f"{item.check} (policy line {item.line})" if item.line else item.check.value
        style = satisfied if item.state == "satisfied" else _STYLES[RESULT_OF[item.state]]
        table.add_row(Text(place), Text(item.state, style=style), why)
    parts: list[RenderableType] = [Text(f"mind: {cut(item)}", style="bold yellow") for item in view.weaknesses]
    parts.append(table)
    parts += [Text(f"problem: {cut(short_digests(problem))}", style="yellow") for problem in view.problems]
    parts.append(Text.assemble(("Verdict: ", "bold"), _result(view.verdict), f" ({MEANINGS[view.verdict]})"))
    policy = f"policy {cut(view.policy_name)} (mode {cut(view.policy_mode)})"
    parts.append(Text(f"{policy}{_validity(view)}", style="dim"))
    return Group(*parts)


def _validity(view: VerdictView) -> str:
    if view.verdict != "passed":
        return ""
    return f", valid until {cut(view.valid_until)}" if view.signed_by else "; not signed: give --key to write a verdict"


def _findings_from(findings: tuple[Finding, ...], least: Severity | None) -> list[RenderableType]:
    from rich.text import Text

    if least is None:
        return [_findings(findings)]
    shown = tuple(item for item in findings if item.severity is Severity.UNKNOWN or item.severity.rank >= least.rank)
    hidden = len(findings) - len(shown)
    parts: list[RenderableType] = [_findings(shown)] if shown else []
    if hidden:
        said = f"{plural(hidden, 'finding')} below {least} not shown; the answer counts every one"
        parts.append(Text(said, style="bold yellow"))
    return parts


def render(report: ReportInput, *, least: Severity | None = None) -> Group:
    """Return a whole report for a terminal: the verdict or else every check, then what did not count.

    ``least`` is the lowest severity of findings that are shown.
    """
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = []
    if report.verdict is not None:
        parts.append(render_verdict(report.verdict))
    else:
        for view in report.evidence:
            told_of = check_report(view.record, model=report.model, digest=report.digest)
            parts.append(render_check(told_of, least=least))
            parts.append(Text(_signature(view), style="dim"))
    told = [item.reason for item in report.verdict.requirements] if report.verdict else []
    # A requirement's reason names the file that was meant; it is not told twice.
    rest = [item for item in report.rejected if not any(f"{item.source}: {item.reason}" in reason for reason in told)]
    parts += [
        Text(f"{cut(item.source)} is not accepted as evidence: {cut(short_digests(item.reason))}")
        for item in rest[:MAX_ROWS]
    ]
    if len(rest) > MAX_ROWS:
        parts.append(Text(f"{plural(len(rest), 'file')} not accepted as evidence{_hidden(len(rest), 'file')}"))
    if report.aside:
        parts.append(Text(told_aside(report.aside), style="dim"))
    return Group(*parts)


def _signature(view: EvidenceView) -> str:
    if not view.source and not view.signer:
        return "not signed, and a gate accepts signed evidence only: give --key to sign it and leave evidence"
    return SIGNATURES[view.signature] + (f": {cut(view.why)}" if view.why else "")


def _findings(findings: tuple[Finding, ...]) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    table = _table("severity", "finding", "where", "next step")
    groups = group_findings(findings)
    for group in groups[:MAX_ROWS]:
        name = Text(counted(cut(group.name), group.count), style="bold")
        name.append(f"\n{listed(group.messages, limit=MAX_MESSAGES, each=MAX_SHOWN, between='; ')}", style="not bold")
        if group.names and group.count > 1:
            name.append(f"\n{listed(group.names, limit=MAX_NAMES)}", style="not bold")
        table.add_row(
            Text(group.severity.value, style=_SEVERITY_STYLES[group.severity]),
            name,
            Text(listed(group.places, limit=MAX_PLACES, each=MAX_SHOWN, between="\n")),
            Text(cut(group.remedy)),
        )
    counts = ((severity, sum(item.severity is severity for item in findings)) for severity in SEVERITIES)
    summary = ", ".join(f"{count} {severity}" for severity, count in counts if count)
    return Group(table, Text(f"{plural(len(findings), 'finding')}: {summary}{_hidden(len(groups), 'kind')}"))


def _undecided(places: tuple[Undecided, ...]) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    table = _table("undecided", "why", "next step")
    groups = group_undecided(places)
    for item in groups[:MAX_ROWS]:
        where = listed(item.places, limit=MAX_PLACES, each=MAX_SHOWN, between="\n")
        why = Text(counted(undecided_name(cut(item.code)), len(item.places)), style="bold")
        why.append(f"\n{cut(item.reason)}", style="not bold")
        step = Text(cut(item.remedy))
        page = reason_page(item.code)
        if page:
            step.append(f"\n{page}", style="dim")
        table.add_row(Text(where), why, step)
    return Group(table, Text(f"{plural(len(places), 'place')} undecided{_hidden(len(groups), 'reason')}"))


def _files(files: tuple[FileCoverage, ...]) -> RenderableType:
    from rich.text import Text

    table = _table("file", "state", "bytes (parsed: read and judged; data: nothing that can run)")
    for file in worst_files_first(files)[:MAX_FILES]:
        table.add_row(Text(cut(file.path)), Text(file.state, style=_STYLES[_MEANS[file.state]]), Text(accounted(file)))
    if len(files) > MAX_FILES:
        table.add_row(Text(f"and {len(files) - MAX_FILES} more"), Text(), Text("--format json has all"))
    return table


def _hidden(count: int, what: str) -> str:
    return f" ({plural(count - MAX_ROWS, what)} not listed; --format json has all)" if count > MAX_ROWS else ""


def _result(result: Result) -> tuple[str, str]:
    return result, _STYLES[result]


def _table(*titles: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, expand=False)
    for title in titles:
        table.add_column(title, overflow="fold")
    return table
