"""A text that no name says how to read: what it would be to a program that reads it as a document all the same.

A name that is another one tomorrow changes nothing about the bytes, so a text that reads as YAML, or as JSON with what
people put around it, is judged as that; and a template that leaves its sandbox is one in any file.
"""

from __future__ import annotations

import re
from typing import Final

from weighbridge.checks.model_scan.documents.template import (
    MAX_TEMPLATE,
    TemplateVerdict,
    judge_template,
    looks_like_template,
    note_verdict,
)
from weighbridge.checks.model_scan.documents.text_file import scan_text
from weighbridge.checks.model_scan.documents.yaml_file import judge_yaml
from weighbridge.checks.model_scan.report import UndecidedError
from weighbridge.checks.model_scan.scan import Scan
from weighbridge.checks.model_scan.source import Source, head

MAX_DOCUMENT: Final = 128 * 1024
"""Longest text that is tried as a document; its parser takes seconds for each megabyte."""

_BEFORE: Final = re.compile(r"(?:[\ufeff\s]|//[^\n]*\n|/\*.*?\*/)*", re.DOTALL)
_LOOSE: Final = re.compile(r"[{\[]\s*(?:/[/*]|[\w$]+\s*:|'[^'\n]*'\s*:)")
_BARE: Final = re.compile(r"[{\[]\s*[\w$]+\s*:\S")
_DOCUMENT: Final = re.compile(r"(?:#[^\n]*\n|\s)*(?:---|%|!|&|[?-] |[\"']?[\w.$@/-]+[\"']?[ \t]*:(?:\s|$)|[{\[])")
_REACHING: Final = frozenset({"unsafe-template", "template-computed-name"})
"""Rules that no text breaks by chance; pages of documentation call and include what they like."""


def scan_plain(scan: Scan, source: Source, location: str) -> None:
    """Scan a text: what ``scan_text`` asks, and what it is as YAML, JSON or a template.

    Raises:
        RefusedError: It is not plain text.
    """
    scan_text(scan, source, location)
    data = head(source, MAX_DOCUMENT + 1)
    if len(data) > MAX_DOCUMENT:
        return
    text = data.decode("utf-8")
    if looks_like_template(text) and len(data) <= MAX_TEMPLATE:
        found = judge_template(text).findings
        note_verdict(scan, TemplateVerdict(tuple(one for one in found if one.rule in _REACHING)), location)
    text = text[_BEFORE.match(text).end() :] if text[:1] in "\ufeff/\f\u00a0" else text  # type: ignore[union-attr]
    if not _DOCUMENT.match(text):
        return
    loose = _BARE.match(text)  # YAML takes such a key and its value for one word
    try:
        judge_yaml(scan, text, location)
    except UndecidedError:
        loose = loose or _LOOSE.match(text)
    if loose:
        scan.notes.cannot_decide("loose-object", "the text is an object in a looser form than JSON", location=location)
