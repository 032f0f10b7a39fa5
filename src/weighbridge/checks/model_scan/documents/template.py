"""Judge a Jinja template, wherever it stands: a file, a value of JSON or YAML, metadata of GGUF or safetensors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from weighbridge.checks.model_scan.documents.text_file import scan_text
from weighbridge.checks.model_scan.report import UndecidedError
from weighbridge.checks.model_scan.scan import Scan
from weighbridge.checks.model_scan.source import Source, head

if TYPE_CHECKING:
    from weighbridge.checks.model_scan.documents.jinja.judge import Problem

MAX_TEMPLATE: Final = 64 * 1024
"""Longest template that is parsed, in bytes; the longest of 70 real ones has 16.7 kB."""

MAX_PROBLEMS: Final = 8
"""Most problems of one template that are reported; each is reason enough."""

_SIGNS: Final = re.compile(r"\{\{|\{%")


@dataclass(frozen=True, slots=True)
class TemplateVerdict:
    """What was found in a template: rules that it breaks, and why it cannot be decided; neither means clean."""

    findings: tuple[Problem, ...] = ()
    undecided: tuple[str, ...] = ()
    parsed: bool = True


def looks_like_template(text: str) -> bool:
    """Tell whether Jinja would do anything with a text but repeat it."""
    return _SIGNS.search(text) is not None


def judge_template(text: str) -> TemplateVerdict:
    """Judge a template by its syntax tree, without rendering it.

    Every part must be one that the rules know: attributes by written names without a leading underscore, subscripts
    that cannot be put together to such a name, methods and functions of plain values, no other file, bounded work.
    """
    if len(text) > MAX_TEMPLATE or len(text.encode("utf-8", "surrogatepass")) > MAX_TEMPLATE:
        return TemplateVerdict(undecided=(f"a template has more than {MAX_TEMPLATE} bytes",))
    # Jinja takes as long to import as everything else of a scan, and few files need it.
    from weighbridge.checks.model_scan.documents.jinja.flow import Flow
    from weighbridge.checks.model_scan.documents.jinja.judge import problems
    from weighbridge.checks.model_scan.documents.jinja.parse import NotATemplateError, parse
    from weighbridge.checks.model_scan.documents.jinja.work import unbounded_work

    try:
        flow = Flow.of(parse(text))
        found = list(problems(flow))
        found += unbounded_work(flow)
    except RecursionError:
        return TemplateVerdict(undecided=("the template nests too deeply to be judged",))
    except NotATemplateError as error:
        return TemplateVerdict(undecided=(error.message,), parsed=False)
    except UndecidedError as error:
        return TemplateVerdict(undecided=(error.message,))
    undecided = [f"line {one.line}: {one.message}" for one in found if one.rule is None]
    return TemplateVerdict(
        findings=tuple(dict.fromkeys(one for one in found if one.rule is not None)),
        undecided=tuple(dict.fromkeys(undecided)),
    )


def report_template(scan: Scan, text: str, location: str) -> None:
    """Judge a template and note what was found."""
    note_verdict(scan, judge_template(text), location)


def note_verdict(scan: Scan, verdict: TemplateVerdict, location: str) -> None:
    """Note what was found in a template."""
    for one in verdict.findings[:MAX_PROBLEMS]:
        place = f"{location}:line {one.line}"
        scan.notes.finding(one.rule or "unsafe-template", one.message, location=place)
    for reason in verdict.undecided[:MAX_PROBLEMS]:
        scan.notes.cannot_decide("template-not-followed", f"the template cannot be judged: {reason}", location=location)


def scan_jinja(scan: Scan, source: Source, location: str) -> None:
    """Scan a file that is a template: text, and a template that reaches nothing but its messages.

    Raises:
        RefusedError: It is not plain text.
        UndecidedError: It is too large.
    """
    scan_text(scan, source, location)
    data = head(source, MAX_TEMPLATE + 1)
    if len(data) > MAX_TEMPLATE:
        raise UndecidedError("template-too-long", f"a template has more than {MAX_TEMPLATE} bytes")
    report_template(scan, data.decode("utf-8"), location)
