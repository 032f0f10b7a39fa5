from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from weighbridge.demo.story import Story, written_out

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


def test_a_long_command_is_broken_so_that_it_can_be_copied() -> None:
    arguments = ("run", "good/model", *(f"--option-{number}=value" for number in range(12)), "-r", "a file.txt")
    shown = written_out(arguments)
    assert max(len(line) for line in shown.splitlines()) <= 104
    assert shlex.split(shown.replace("\\\n", " "))[2:] == list(arguments)
    assert written_out(("digest", "m")) == "$ weighbridge digest m"


def test_an_ending_that_is_not_as_expected_is_said(tmp_path: Path) -> None:
    """With a command that always passes, three models get through that must not; the story says so."""
    said: list[str] = []

    def passes(arguments: list[str]) -> int:
        if arguments[0] == "run":
            Path("good/evidence").mkdir()
        return 0

    endings = Story(tmp_path, command=passes, say=said.append).tell()
    assert [ending.as_expected for ending in endings] == [True, False, False, False]
    assert sum(line.startswith("NOT AS EXPECTED") for line in said) == 3
