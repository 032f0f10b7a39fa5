"""A look at a model by the built-in starter policy: for people and as JSON, and nowhere the word that a gate uses.

Nothing is signed, so what stands here must not be taken for a verdict: the first line says so, and the JSON has a
schema of its own, no ``verdict`` and no field that a verdict has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from weighbridge._struct import Wire
from weighbridge.evidence.record import Finding, Undecided
from weighbridge.report._text import cut
from weighbridge.report.check_json import ReportSubject, write_json
from weighbridge.report.interface import Result

if TYPE_CHECKING:
    from rich.console import Group

NOTICE: Final = "unsigned, by the built-in starter policy: for looking, no platform accepts it"
"""The first line of every look."""

_STYLES: Final[dict[Result, str]] = {"passed": "green", "failed": "red", "undecided": "yellow"}
_SHOWN: Final = 3


class LookProblem(Wire):
    """One limit of the starter policy that does not hold, or that nobody can tell about."""

    answer: Literal["failed", "undecided"]
    reason: str
    remedy: str


class LookedAt(Wire):
    """What one check found, and what the starter policy makes of it."""

    check: str
    answer: Result
    problems: tuple[LookProblem, ...]
    findings: tuple[Finding, ...]
    undecided: tuple[Undecided, ...]


class NotAsked(Wire):
    """A check that did not run, and the options that would make it run."""

    check: str
    options: str


class Offered(Wire):
    """A file that lies near the model and was not taken: the option that would take it."""

    option: str
    path: str


class LookReport(Wire):
    """A look at one model. It is unsigned and counts nowhere, whatever ``answer`` is."""

    schema: Literal["weighbridge.dev/look/v1"]
    notice: Literal["unsigned, by the built-in starter policy: for looking, no platform accepts it"]
    signed: bool
    subject: ReportSubject
    answer: Result
    looked_at: tuple[LookedAt, ...]
    not_asked: tuple[NotAsked, ...]
    offered: tuple[Offered, ...]


def render_json(report: LookReport) -> str:
    """Return the look as JSON; its schema is ``docs/schemas/look-v1.json``."""
    return write_json(report)


def render_answer(report: LookReport) -> Group:
    """Return what a person reads below the tables of the checks: the answer, what was not asked, what is offered."""
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, expand=False)
    for title in ("check", "answer", "why"):
        table.add_column(title, overflow="fold")
    for item in report.looked_at:
        table.add_row(Text(item.check), Text(item.answer, style=_STYLES[item.answer]), Text(_why(item)))
    for left in report.not_asked:
        table.add_row(Text(left.check), Text("not asked", style="dim"), Text(f"give {left.options}"))
    parts: list[Text | Table] = [table]
    parts += [Text(f"there is {cut(one.path)}: to use it give {one.option} {cut(one.path)}") for one in report.offered]
    parts.append(Text.assemble(("Answer: ", "bold"), (report.answer, _STYLES[report.answer]), f" ({NOTICE})"))
    return Group(*parts)


def _why(item: LookedAt) -> str:
    if not item.problems:
        return "within all limits of the starter policy"
    worst = sorted(item.problems, key=lambda problem: problem.answer != "failed")
    lines = [cut(problem.reason) for problem in worst[:_SHOWN]]
    if len(worst) > _SHOWN:
        lines.append(f"and {len(worst) - _SHOWN} more; --format json has all")
    if worst[0].remedy:
        lines.append(f"next step: {cut(worst[0].remedy)}")
    return "\n".join(lines)
