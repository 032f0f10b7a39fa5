"""Markdown for a comment on a pull request: the verdict, the requirements, and the worst findings.

Every text that is not ours stands in a code span, where nothing is a link, a mention, an image or a tag
(CommonMark 0.31, section 6.1).
"""

from __future__ import annotations

import re
from typing import Final

from weighbridge.report._text import cut, plural, short_digests
from weighbridge.report.facts import (
    ALL_THE_SAME,
    SIGNATURES,
    TITLES,
    count_severities,
    is_refused_as_a_whole,
    outcome_of,
    told_aside,
)
from weighbridge.report.groups import Group, OpenGroup, counted, group_findings, group_undecided
from weighbridge.report.interface import EvidenceView, ReportInput, Result, VerdictView
from weighbridge.report.rules import undecided_name
from weighbridge.report.summary import key_figure

MAX_FINDINGS: Final = 20
"""Kinds of findings of one check that a comment lists."""

MAX_NAMES: Final = 12
"""Names that are listed of findings of one kind."""

MAX_PLACES: Final = 3
"""Places, and messages that differ, that are listed of findings of one kind."""

MAX_REQUIREMENTS: Final = 50
"""Requirements, files of evidence and problems that a comment lists."""

MAX_COMMENT: Final = 60_000
"""Characters beyond which lists of findings are left out; GitHub refuses a comment of more than 65,536."""

MAX_CELL: Final = 200
"""Characters of one cell."""

_MARKS: Final[dict[Result, str]] = {"passed": "✅", "failed": "❌", "undecided": "❔"}
_SENTENCES: Final[dict[Result, str]] = {
    "passed": "The policy holds.",
    "failed": "The policy does not hold. This model must not be loaded.",
    "undecided": "Something is missing or could not be judged. This model must not be loaded.",
}


def code(text: str, *, limit: int = MAX_CELL) -> str:
    """Return hostile text as one code span that also holds inside a table.

    A vertical bar becomes a broken bar, since no escape of it works in every reader of tables.
    """
    shown = cut(text, limit=limit).replace("|", "¦")
    if not shown:
        return ""
    fence = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def render(report: ReportInput, /) -> str:
    """Return a short Markdown document that ends with a newline."""
    lines = _head(report)
    if report.verdict:
        lines += _requirements(report.verdict)
    if report.evidence:
        lines += ["", "| check | result | measured | signature |", "|---|---|---|---|"]
        lines += [_row(view) for view in report.evidence[:MAX_REQUIREMENTS]]
        lines += _more(len(report.evidence), MAX_REQUIREMENTS)
    if report.aside:
        lines += ["", f"{told_aside(report.aside).capitalize()}."]
    if report.rejected:
        lines += ["", f"**{plural(len(report.rejected), 'file')} not accepted as evidence:**", ""]
        lines += [
            f"- {code(item.source)}: {code(short_digests(item.reason))}" for item in report.rejected[:MAX_FINDINGS]
        ]
        lines += _more(len(report.rejected))
    for view in report.evidence:
        details = _details(view)
        if sum(len(line) + 1 for line in (*lines, *details)) > MAX_COMMENT:
            lines += ["", "More findings are not listed: the comment would be too long."]
            break
        lines += details
    return "\n".join(lines) + "\n"


def _sentence(verdict: VerdictView) -> str:
    to_do = " Verify the verdict before loading the model." if verdict.verdict == "passed" and verdict.signed_by else ""
    whole = ALL_THE_SAME if is_refused_as_a_whole(verdict) else _SENTENCES[verdict.verdict]
    return whole + to_do


def _head(report: ReportInput) -> list[str]:
    verdict = report.verdict
    title = f"{_MARKS[verdict.verdict]} Weighbridge: {verdict.verdict}" if verdict else "Weighbridge: no verdict yet"
    lines = [f"### {title}", ""]
    if verdict:
        lines += [f"> **Mind:** {code(item)}\n" for item in verdict.weaknesses[:MAX_FINDINGS]]
    lines.append(_sentence(verdict) if verdict else "This is evidence only; no policy was applied.")
    lines += ["", f"- model {code(report.model)}", f"- digest {code(str(report.digest))}"]
    if verdict:
        whole = verdict.policy_digest if ":" in verdict.policy_digest else f"sha256:{verdict.policy_digest}"
        lines.append(f"- policy {code(verdict.policy_name)} (mode {code(verdict.policy_mode)}), {code(whole)}")
        if verdict.signed_by is None:
            lines.append("- judged and not signed, so there is no verdict to verify")
        else:
            until = f"valid until {code(verdict.valid_until)}, " if verdict.verdict == "passed" else ""
            key = f" (key {code(verdict.signed_key)})" if verdict.signed_key else ""
            lines.append(f"- {until}signed by {code(verdict.signed_by)}{key}")
        lines += [f"- problem: {code(short_digests(problem))}" for problem in verdict.problems[:MAX_FINDINGS]]
    return lines


def _requirements(verdict: VerdictView) -> list[str]:
    lines = ["", "| requirement | state | why | next step |", "|---|---|---|---|"]
    for item in verdict.requirements[:MAX_REQUIREMENTS]:
        place = f" (policy line {item.line})" if item.line else ""
        waived = f", waived {', '.join(code(name) for name in item.waived[:5])}" if item.waived else ""
        why = code(short_digests(item.reason))
        lines.append(f"| {TITLES[item.check]}{place} | {item.state}{waived} | {why} | {code(item.remedy)} |")
    lines += _more(len(verdict.requirements), MAX_REQUIREMENTS)
    said = [(item.check, text) for item in verdict.requirements for text in (*item.inputs, *item.notes)]
    if said:
        lines += ["", "<details><summary>What the checks were done on, and what binds it</summary>", ""]
        lines += [f"- {TITLES[check]}: {code(text)}" for check, text in said[:MAX_FINDINGS]]
        lines += [*_more(len(said)), "", "</details>"]
    return lines


def _row(view: EvidenceView) -> str:
    signer = f" by {code(view.signer)}" if view.signer else ""
    return (
        f"| {TITLES[view.record.check]} | {outcome_of(view.record)} | {key_figure(view.record)} | "
        f"{SIGNATURES[view.signature].removeprefix('signature ')}{signer} |"
    )


def _details(view: EvidenceView) -> list[str]:
    record = view.record
    lines: list[str] = []
    if record.findings:
        counts = ", ".join(f"{count} {severity}" for severity, count in count_severities(record.findings))
        lines += ["", f"<details><summary>{TITLES[record.check]}: {counts}</summary>", ""]
        lines += ["| severity | finding | where | next step |", "|---|---|---|---|"]
        groups = group_findings(record.findings)
        lines += [_kind(group) for group in groups[:MAX_FINDINGS]]
        lines += [*_more(len(groups)), "", "</details>"]
    if record.undecided:
        count = plural(len(record.undecided), "place")
        lines += ["", f"<details><summary>{TITLES[record.check]}: {count} undecided</summary>", ""]
        reasons = group_undecided(record.undecided)
        lines += [_open(item) for item in reasons[:MAX_FINDINGS]]
        lines += [*_more(len(reasons)), "", "</details>"]
    return lines


def _open(group: OpenGroup) -> str:
    name = f"{code(undecided_name(group.code))} " if group.code else ""
    step = f" Next step: {code(group.remedy)}" if group.remedy else ""
    return f"- {_spans(group.places)}: {name}{code(group.reason)}{step}"


def _kind(group: Group) -> str:
    name = counted(code(group.name), group.count)
    what = _spans(group.messages)
    names = f": {_spans(group.names, limit=MAX_NAMES)}" if group.names and group.count > 1 else ""
    return f"| {group.severity} | {name} {what}{names} | {_spans(group.places)} | {code(group.remedy)} |"


def _spans(texts: tuple[str, ...], *, limit: int = MAX_PLACES) -> str:
    shown = ", ".join(code(text) for text in texts[:limit])
    return f"{shown} and {len(texts) - limit} more" if len(texts) > limit else shown


def _more(count: int, limit: int = MAX_FINDINGS) -> list[str]:
    return ["", f"{count - limit} more are not listed."] if count > limit else []
