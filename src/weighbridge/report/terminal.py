"""Reports for a terminal, as values that rich prints: tables in colour, or plain text where there is no terminal.

Texts from evidence are cleaned of escapes and put into ``Text``, so no mark-up of theirs is ever read. Whether there
are colours is decided by the console that prints (terminal or not, ``NO_COLOR``), not here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from weighbridge.evidence.record import CheckName, Finding, Severity, Undecided
from weighbridge.report._text import cut, plural
from weighbridge.report.check_json import CheckReport, check_report
from weighbridge.report.facts import RESULT_OF, SEVERITIES, TITLES, worst_first
from weighbridge.report.interface import EvidenceView, ReportInput, Result, VerdictView
from weighbridge.report.summary import figure_of

if TYPE_CHECKING:
    from rich.console import Group, RenderableType
    from rich.table import Table

MAX_ROWS: Final = 50
"""Findings, and undecided places, that are listed; ``--format json`` has all."""

_STYLES: Final[dict[Result, str]] = {"passed": "bold green", "failed": "bold red", "undecided": "bold yellow"}
_FOUND: Final[dict[Result, str]] = {"passed": "nothing found", "failed": "findings", "undecided": "undecided"}
_SEVERITY_STYLES: Final[dict[Severity, str]] = {
    Severity.UNKNOWN: "magenta",
    Severity.LOW: "cyan",
    Severity.MEDIUM: "yellow",
    Severity.HIGH: "red",
    Severity.CRITICAL: "bold red",
}


def render_check(report: CheckReport) -> Group:
    """Return the report of one check for a terminal."""
    from rich.console import Group
    from rich.text import Text

    check = next(name for name in CheckName if f"/{name}-report/" in report.schema)
    head = Text.assemble(
        (TITLES[check], "bold"),
        " of ",
        (cut(report.subject.name) or "the model", "bold"),
        ": ",
        # Without a policy nothing has passed.
        (_FOUND[report.verdict], _STYLES[report.verdict]),
    )
    parts: list[RenderableType] = [head, Text(f"dirHash:{report.subject.digest.dir_hash}", style="dim")]
    parts.append(Text(figure_of(report.measurements, findings=report.findings)))
    if report.findings:
        parts += [Text(), _findings(report.findings)]
    if report.undecided:
        parts += [Text(), _undecided(report.undecided)]
    return Group(*parts)


def render_verdict(view: VerdictView) -> Group:
    """Return a verdict for a terminal: every requirement with what became of it, and what to do."""
    from rich.console import Group
    from rich.text import Text

    table = _table("requirement", "state", "why")
    for item in view.requirements:
        why = Text(cut(item.reason))
        if item.waived:
            why.append(f"\nwaived: {cut(', '.join(item.waived))}", style="dim")
        for said in (*item.inputs, *item.notes):
            why.append(f"\n{cut(said)}", style="dim")
        if item.remedy:
            why.append(f"\nnext step: {cut(item.remedy)}", style="italic")
        place = f"{item.check} (line {item.line})" if item.line else item.check.value
        table.add_row(Text(place), Text(item.state, style=_STYLES[RESULT_OF[item.state]]), why)
    parts: list[RenderableType] = [Text(f"mind: {cut(item)}", style="bold yellow") for item in view.weaknesses]
    parts.append(table)
    parts += [Text(f"problem: {cut(problem)}", style="yellow") for problem in view.problems]
    parts.append(Text.assemble(("Verdict: ", "bold"), _result(view.verdict)))
    policy = f"policy {cut(view.policy_name)} (mode {cut(view.policy_mode)})"
    parts.append(Text(f"{policy}{_validity(view)}", style="dim"))
    return Group(*parts)


def _validity(view: VerdictView) -> str:
    if view.verdict != "passed":
        return ""
    return f", valid until {cut(view.valid_until)}" if view.signed_by else "; not signed: give --key to write a verdict"


def render(report: ReportInput) -> Group:
    """Return a whole report for a terminal: the verdict or else every check, then what did not count."""
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = []
    if report.verdict is not None:
        parts.append(render_verdict(report.verdict))
    else:
        for view in report.evidence:
            parts.append(render_check(check_report(view.record, model=report.model, digest=report.digest)))
            parts.append(Text(_signature(view), style="dim"))
    told = [item.reason for item in report.verdict.requirements] if report.verdict else []
    # A requirement's reason names the file that was meant; it is not told twice.
    rest = [item for item in report.rejected if not any(f"{item.source}: {item.reason}" in reason for reason in told)]
    parts += [Text(f"{cut(item.source)} does not count: {cut(item.reason)}") for item in rest[:MAX_ROWS]]
    if len(rest) > MAX_ROWS:
        parts.append(Text(f"{plural(len(rest), 'file')} that do not count{_hidden(len(rest))}"))
    return Group(*parts)


def _signature(view: EvidenceView) -> str:
    if not view.source and not view.signer:
        return "not signed: give --key to leave evidence"
    return f"signature {view.signature}" + (f": {cut(view.why)}" if view.why else "")


def _findings(findings: tuple[Finding, ...]) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    table = _table("severity", "finding", "where", "next step")
    for finding in worst_first(findings)[:MAX_ROWS]:
        name = Text(cut(finding.advisory or finding.rule), style="bold")
        name.append(f"\n{cut(finding.message)}", style="not bold")
        table.add_row(
            Text(finding.severity.value, style=_SEVERITY_STYLES[finding.severity]),
            name,
            Text(cut(finding.location)),
            Text(cut(finding.remedy)),
        )
    counts = ((severity, sum(item.severity is severity for item in findings)) for severity in SEVERITIES)
    summary = ", ".join(f"{count} {severity}" for severity, count in counts if count)
    return Group(table, Text(f"{plural(len(findings), 'finding')}: {summary}{_hidden(len(findings))}"))


def _undecided(places: tuple[Undecided, ...]) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    table = _table("undecided", "why")
    for item in places[:MAX_ROWS]:
        table.add_row(Text(cut(item.location)), Text(cut(item.reason)))
    return Group(table, Text(f"{plural(len(places), 'place')} undecided{_hidden(len(places))}"))


def _hidden(count: int) -> str:
    return f" ({count - MAX_ROWS} not listed; --format json has all)" if count > MAX_ROWS else ""


def _result(result: Result) -> tuple[str, str]:
    return result, _STYLES[result]


def _table(*titles: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, expand=False)
    for title in titles:
        table.add_column(title, overflow="fold")
    return table
