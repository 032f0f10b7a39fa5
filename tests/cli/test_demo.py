from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from weighbridge.demo.story import Story, written_out

pytestmark = pytest.mark.landlock


@pytest.mark.timeout(900)
def test_demo_shows_its_four_endings_and_goes_to_a_free_name(shell: Shell) -> None:
    shell = Shell(shell.directory / "a földer")
    mine = shell.directory / "weighbridge-demo"
    mine.mkdir(parents=True)
    (mine / "notes").write_text("keep")
    # A log in ASCII's locale, without a terminal or a home.
    demo = shell.run("demo", LC_ALL="C", HOME="/nonexistent")
    assert demo.code == 0, demo.out + demo.err
    for ending in (
        "as expected: the good model passes",
        "as expected: one changed byte is refused",
        "as expected: a pickle with a payload is refused by the scan",
        "as expected: evidence of another model is refused",
    ):
        assert ending in demo.out
    assert demo.out.splitlines()[-1].endswith("The report: weighbridge-demo-2/report.html")
    # All of it is in the log: what a command says and what it shows, in their order.
    assert demo.err == ""
    assert demo.out.index("$ weighbridge run") < demo.out.index("Verdict: passed") < demo.out.index("verdict: ")
    assert demo.out.count("\nrefused: ") == 2
    page = (shell.directory / "weighbridge-demo-2" / "report.html").read_text()
    assert "<html" in page
    assert "http://" not in page.replace("http://www.w3.org/", "")
    assert [path.name for path in mine.iterdir()] == ["notes"]


def test_a_directory_that_is_there_is_not_touched(shell: Shell) -> None:
    (shell.directory / "here").mkdir()
    again = shell.run("demo", "-o", "here")
    assert again.code == 64
    assert "here exists already" in again.err
    assert not list((shell.directory / "here").iterdir())


def test_says_where_to_go_when_nothing_can_be_written() -> None:
    # Of /proc, so that root is refused as well.
    demo = Shell(Path("/proc/self")).run("demo", HOME="/")
    assert demo.code == 2
    assert "weighbridge-demo cannot be made" in demo.err
    assert "name one with --output" in demo.err


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
