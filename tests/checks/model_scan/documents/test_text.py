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
        (b"a" * 300_000 + b"\xff", "format-mismatch"),
        (b"a" * 300_000 + b"\x00", "format-mismatch"),
        ("ä".encode() * 200_000 + b"<script>", "code-in-model"),
        (b" <!DOCTYPE  HTML>", "code-in-model"),
        (b"\xef\xbb\xbf#!/bin/sh\n", "code-in-model"),
    ],
    ids=["not-utf8", "control", "script", "page", "shell"],
)
def test_refuses_what_is_no_text(data: bytes, rule: str) -> None:
    assert [one.rule for one in report(data, name="notes.txt").findings] == [rule]
