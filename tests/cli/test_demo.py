from __future__ import annotations

import pytest

from tests.cli.conftest import Shell

pytestmark = pytest.mark.landlock


def test_demo_shows_its_four_endings(shell: Shell) -> None:
    demo = shell.run("demo", "-o", "here", timeout=170)
    assert demo.code == 0, demo.out + demo.err
    for ending in (
        "as expected: the good model passes",
        "as expected: one changed byte is refused",
        "as expected: a pickle with a payload is refused by the scan",
        "as expected: evidence of another model is refused",
    ):
        assert ending in demo.out
    assert "report.html" in demo.out.splitlines()[-1]
    page = (shell.directory / "here" / "report.html").read_text()
    assert "<html" in page
    assert "http://" not in page.replace("http://www.w3.org/", "")
    again = shell.run("demo", "-o", "here")
    assert again.code == 2
    assert "exists already" in again.err
