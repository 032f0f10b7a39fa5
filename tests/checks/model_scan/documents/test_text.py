"""Text is UTF-8 without control characters, and no page or script, wherever in the file that shows."""

from __future__ import annotations

import pytest

from tests.checks.model_scan.documents.test_json import report


@pytest.mark.parametrize(
    "text",
    [
        "---\nlicense: mit\ntags:\n- x\n---\n# Model\n\na < b and `<script_name>`\n",
        "a\r\nb\r\n",
        "ä\tb\n",
        "<details>a</details>\n",
    ],
    ids=["readme", "windows", "letters", "markup"],
)
def test_text_is_clean(text: str) -> None:
    assert report(text.encode(), name="README.md").coverage.state == "clean"


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        ("ä".encode() * 200_000 + b"<script>", "code-in-model"),
        (b" <!DOCTYPE  HTML>", "code-in-model"),
        (b"\xef\xbb\xbf#!/bin/sh\n", "code-in-model"),
    ],
    ids=["script", "page", "shell"],
)
def test_refuses_text_that_is_a_program(data: bytes, rule: str) -> None:
    assert [one.rule for one in report(data, name="notes.txt").findings] == [rule]


@pytest.mark.parametrize("end", [b"\xff", b"\x00"], ids=["not-utf8", "control"])
def test_what_is_no_text_is_undecided_whatever_its_name(end: bytes) -> None:
    found = report(b"a" * 300_000 + end, name="notes.txt")
    assert (found.coverage.state, found.findings) == ("undecided", ())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("README.md", "---\nlicense: mit\n---\n<p align=center><img src='x.svg'></p>\n<details>x</details> ${HOME}\n"),
        ("empty.yaml", "# only a comment\n"),
        ("log.yaml", "handlers:\n  a:\n    class: logging.StreamHandler\n    stream: ext://sys.stdout\n"),
        ("sums.yaml", "a: ${multiply:2,${x.y}}\nb: ${now:%Y}\n"),
        ("notes.txt", "Note: this is it\n  and: more\nx\n"),
        ("values.txt", "{'a': 1, 'b': [1, 2]}\n"),
        ("words.txt", "[PAD]\n{\n{{\n: a\n- \n"),
    ],
)
def test_what_people_write_is_clean(name: str, text: str) -> None:
    from tests.checks.model_scan.documents.test_json import report

    assert report(text.encode(), name=name).coverage.state == "clean"
    assert report(text.encode("utf-16"), name=name).coverage.state == "clean"
