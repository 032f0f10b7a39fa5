from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from weighbridge.cli import COMMANDS, command

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cli.md"
WIDTH = 100
HEADER = """# Command line

Every command with its help, as it prints it. This page is written by
`.venv/bin/pytest tests/project/test_help.py --update-golden`, and a test compares it with the program.
"""


def all_commands() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command and sub-command with the words that call it."""
    yield (), command
    context = click.Context(command)
    for name in COMMANDS:
        found = command.get_command(context, name)
        assert found is not None
        yield (name,), found
        if isinstance(found, click.Group):
            yield from (((name, inner), item) for inner, item in found.commands.items())


CALLS = list(all_commands())


def help_of(words: tuple[str, ...]) -> str:
    result = CliRunner().invoke(command, [*words, "--help"], prog_name="weighbridge", terminal_width=WIDTH)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize(("words", "found"), CALLS, ids=["-".join(words) or "weighbridge" for words, _ in CALLS])
def test_a_newcomer_can_read_what_the_command_and_its_options_are_for(
    words: tuple[str, ...], found: click.Command
) -> None:
    assert found.help
    assert found.help.strip().endswith((".", ")", ":", "`"))
    options = [item for item in found.params if isinstance(item, click.Option)]
    assert not [item.name for item in options if not item.help and item.name not in {"output", "algorithm"}]
    assert max(map(len, help_of(words).splitlines())) <= WIDTH


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_of_commands_says_what_the_command_says(name: str) -> None:
    found = command.get_command(click.Context(command), name)
    assert found is not None
    assert found.get_short_help_str(limit=WIDTH) == COMMANDS[name]


def test_the_page_of_commands_is_what_the_program_prints(update_golden: bool) -> None:
    sections = [
        f"\n## weighbridge {' '.join(words)}".rstrip() + f"\n\n```text\n{help_of(words)}```\n" for words, _ in CALLS
    ]
    text = HEADER + "".join(sections)
    if update_golden:
        PAGE.write_text(text)
    assert PAGE.read_text() == text


def test_the_installed_program_answers() -> None:
    program = Path(sys.executable).parent / "weighbridge"
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("weighbridge, version ")
