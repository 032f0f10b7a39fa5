"""One self-contained HTML page: no network, no font, no script but its own, and every text escaped.

The content security policy names the style and the script by their hashes and allows nothing else but pictures that
stand in the page, so even a text that slipped through would be inert. Needs the extra ``report``.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any, Final

import jinja2

from weighbridge.clock import parse_instant
from weighbridge.errors import ParseError
from weighbridge.report._text import clean_block, cut, short_digests
from weighbridge.report.coverage import accounted
from weighbridge.report.facts import ALL_THE_SAME, SIGNATURES, TITLES, is_refused_as_a_whole, result_of, told_aside
from weighbridge.report.html.page import sections_of
from weighbridge.report.interface import ReportInput, VerdictView
from weighbridge.report.repeat import parts_of, run_command, verify_command
from weighbridge.report.rules import UNDECIDED, described, page_of, sentence
from weighbridge.report.summary import CONFIDENCE, key_figure, percent
from weighbridge.report.words import CONTROLS, GLOSSARY, meaning, question_of

HEADLINES: Final = {
    "passed": "Passed",
    "failed": "Failed",
    "undecided": "Undecided",
}
"""The verdict in one word."""

SENTENCES: Final = {
    "passed": "Every requirement of the policy holds. The model may be loaded by whoever verifies this verdict first.",
    "failed": "The policy does not hold. This model must not be loaded.",
    "undecided": "Something is missing or could not be judged. This model must not be loaded.",
}
"""What the verdict means."""


_LOOK: Final = (
    "The built-in starter policy was applied to what could be looked at. Nothing is signed, and no platform accepts it."
)
"""What a look means."""


def sentence_of(verdict: VerdictView | None) -> str:
    """Return what a verdict means, in one or two sentences."""
    if verdict is None:
        return "This page shows evidence only; no policy was applied."
    if is_refused_as_a_whole(verdict):
        return ALL_THE_SAME
    return SENTENCES[verdict.verdict]


def _is_undecided(report: ReportInput) -> bool:
    verdict = report.verdict
    states: list[str] = [verdict.verdict, *(item.state for item in verdict.requirements)] if verdict else []
    return "undecided" in states or any(result_of(view.record) == "undecided" for view in report.evidence)


def _headline(report: ReportInput) -> str:
    if report.verdict is not None:
        return HEADLINES[report.verdict.verdict]
    return "No verdict" if report.look is None else f"A look: {report.look}"


def render(report: ReportInput, /) -> str:
    """Return the page; the same value gives the same bytes."""
    style, script = _asset("style.css"), _asset("script.js")
    undecided = described(UNDECIDED) if _is_undecided(report) else None
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            report=report,
            verdict=report.verdict,
            sections=sections_of(report),
            titles=TITLES,
            headline=_headline(report),
            sentence=sentence_of(report.verdict) if report.look is None else _LOOK,
            undecided=undecided,
            again=run_command(report),
            before_loading=verify_command(report),
            told_aside=told_aside(report.aside) if report.aside else "",
            glossary=GLOSSARY,
            style=style,
            script=script,
            policy=_content_policy(style, script),
            confidence=percent(CONFIDENCE),
        )
    )


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_asset),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cut"] = _cut
    environment.filters["told"] = _told
    environment.filters["percent"] = percent
    environment.filters["instant"] = _instant
    environment.filters["grouped"] = _grouped
    environment.filters["accounted"] = accounted
    environment.filters["figure"] = key_figure
    environment.filters["signature"] = SIGNATURES.__getitem__
    environment.filters["question"] = question_of
    environment.filters["parts_of"] = parts_of
    environment.filters["page"] = _page
    environment.globals["meaning"] = meaning
    environment.globals["sentence_of_rule"] = sentence
    environment.globals["controls"] = CONTROLS
    return environment


def _finalize(value: Any) -> Any:  # noqa: ANN401 - whatever a template writes
    # The last step before escaping: no text leaves with control or reordering characters, filter or not.
    return clean_block(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _cut(text: str, limit: int = 300) -> str:
    return cut(text, limit=limit)


def _told(text: str, limit: int = 800) -> str:
    """Return a sentence for people, with its digests shortened. No element is made of it: it may be an attacker's."""
    return cut(short_digests(text), limit=limit)


def _instant(text: str, form: str = "%-d %b %Y, %H:%M UTC") -> str:
    try:
        return parse_instant(text, what="an instant").strftime(form)
    except ParseError:
        return cut(text, limit=60)


def _page(rule: str) -> str:
    """Return the address of the page about a rule of ours; empty for what a report knows nothing of."""
    known = described(rule)
    return page_of(known) if known else ""


def _grouped(number: int) -> str:
    return f"{number:,}"


def _asset(name: str) -> str:
    return files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


def _content_policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src {_source(style)}; script-src {_source(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"
