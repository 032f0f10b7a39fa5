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

| to | type |
|---|---|
| start from nothing | `weighbridge init`: a policy for what lies here, keys to try with, and the next command |
| have an answer at once | `weighbridge run MODEL`: a look by the built-in starter policy, unsigned |
| scan several models | `weighbridge scan A B C`: one report, the worst exit code |
| scan or audit what is piped in | `weighbridge scan -`, `weighbridge audit -r -` |
| audit the active environment | `weighbridge audit` |
| have JSON, or a file | `--json`, `-o FILE`, whose ending decides the format (`gate` and `run`: `--report FILE`) |
| have the exit code alone | `--quiet` |
| see fewer findings | `--severity high`: a table for people is shorter, and the answer counts every finding |
| set an option for a shell | `WEIGHBRIDGE_SCAN_FORMAT=json`, and so for every option but `verify --any-policy` |
| set an option for a project | `[tool.weighbridge.COMMAND]` in the `pyproject.toml` here, or `weighbridge.yaml` |

| exit code | meaning |
|---|---|
| 0 | passed |
| 1 | failed the policy, or something was found |
| 2 | undecided; a gate refuses as for 1 |
| 64 | wrong usage: an unknown command, option or value, or something missing from the call |
| 128 and more | stopped by a signal |

What a person reads goes to standard output: tables, verdicts, refusals, and where verdict and report were written; with
`--format` for programs only the document does. Errors and names of evidence go to standard error, and bars are drawn on
a terminal alone.

The command line wins over variables, and these win over a project's file. In a variable several paths stand with `:`
between them. That file comes with a checkout, so it says
`format`, where the report goes (`output`; of `gate` and `run` `report`) and which files are inputs (`requirement`,
`lock`, `environment`, `data`, `members`, `non-members`), all of them below it and through no link. It is refused when
it says a policy, trust, keys, evidence, advisories, exceptions or how hard is looked. What is taken from it is said on
standard error.

```toml
[tool.weighbridge.scan]
format = "sarif"
output = "scan.sarif"

[tool.weighbridge.run]
lock = ["uv.lock"]
data = "data/test.npz"
report = "report.html"
```
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
