"""No text of the evidence can change the structure of a document: the same elements come out whatever it says."""

from __future__ import annotations

import json
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.report import samples
from tests.report.test_html import Page
from weighbridge.report import junit, markdown, sarif, whole_json
from weighbridge.report.html import render

MARKS = (
    "<",
    ">",
    '"',
    "'",
    "&",
    "`",
    "|",
    "\\",
    "\n",
    "\r",
    "\x00",
    "\x1b[2J",
    "\u202e",
    "\ud83d",
    "{{",
    "{%",
    "}}",
    "%}",
)
ENDS = ("]]>", "<!--", "-->", "</script>", "</style>", "</title>", "</textarea>", "<svg onload=a>", "&lt;", "\ufffe")
PIECES = st.sampled_from(MARKS) | st.sampled_from(ENDS)
TEXT = st.lists(PIECES | st.text(st.characters(codec=None, categories=None), max_size=5), max_size=30).map(
    # One visible character first, since a page leaves out what has no text at all.
    lambda pieces: "x" + "".join(pieces)
)


def elements(text: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(tag, tuple(attributes)) for tag, attributes in Page(render(samples.hostile(text))).elements]


def cases(text: str) -> list[tuple[str, tuple[str, ...]]]:
    root = ElementTree.fromstring(junit.render(samples.hostile(text)).encode())
    return [(element.tag, tuple(element.attrib)) for element in root.iter()]


@settings(max_examples=40)
@given(TEXT)
def test_page_has_the_same_elements_whatever_the_evidence_says(text: str) -> None:
    assert elements(text) == elements("x")


@settings(max_examples=40)
@given(TEXT)
def test_junit_has_the_same_elements_whatever_the_evidence_says(text: str) -> None:
    assert cases(text) == cases("x")


@settings(max_examples=40)
@given(TEXT)
def test_markdown_has_the_same_lines_whatever_the_evidence_says(text: str) -> None:
    assert len(markdown.render(samples.hostile(text)).splitlines()) == len(
        markdown.render(samples.hostile("x")).splitlines()
    )


@settings(max_examples=40)
@given(TEXT)
def test_json_and_sarif_can_be_read_whatever_the_evidence_says(text: str) -> None:
    for document in (sarif.render(samples.hostile(text)), whole_json.render(samples.hostile(text))):
        assert document.isascii()
        json.loads(document)
    assert json.loads(whole_json.render(samples.hostile(text)))["subject"]["name"] == text
