"""Fenced blocks of Markdown files, as the shell session that a reader would type.

A ``bash`` block is run as it stands. In a ``console`` block the lines after ``$`` are run, and the lines between are
what they print. A ``python`` block is run by the same Python. A block is left out only by a comment before it that
says why: ``<!-- not run: the reason -->``.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

_FENCE = re.compile(
    r"(?:<!-- not run: (?P<reason>[^\n]+?) -->\n+)?^```(?P<language>\w*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)
RUN = ("bash", "console", "python")
"""Languages of blocks that are run."""


@dataclass(frozen=True)
class Block:
    """One fenced block, and why it is not run if it is not."""

    line: int
    language: str
    code: str
    not_run: str


def blocks(text: str) -> list[Block]:
    """Return the runnable blocks of a document, in order."""
    found = []
    for match in _FENCE.finditer(text):
        if match["language"] in RUN:
            line = text.count("\n", 0, match.start("language")) + 1
            found.append(Block(line, match["language"], match["code"], match["reason"] or ""))
    return found


def script(found: list[Block], *, python: str) -> str:
    """Return one shell script that runs all blocks in order and stops at the first that fails."""
    parts = ["set -euo pipefail"]
    for block in found:
        if block.not_run:
            continue
        parts.append(f"echo '>>> block at line {block.line}' >&2")
        if block.language == "python":
            parts.append(f"{shlex.quote(python)} - <<'END-OF-BLOCK'\n{block.code}END-OF-BLOCK")
        elif block.language == "console":
            parts += [_console(block.code)]
        else:
            parts.append(block.code)
    return "\n".join(parts) + "\n"


def _console(code: str) -> str:
    commands: list[str] = []
    expected: list[list[str]] = []
    for line in code.splitlines():
        if line.startswith("$ "):
            commands.append(line[2:])
            expected.append([])
        elif commands and commands[-1].endswith("\\"):
            commands[-1] += "\n" + line
        elif commands:
            expected[-1].append(line)
    parts = []
    for command, lines in zip(commands, expected, strict=True):
        wanted = "\n".join(lines).strip()
        if not wanted:
            parts.append(command)
            continue
        parts.append(f"{{ {command}\n}} > .shown 2>&1 || true\ncat .shown >&2")
        parts += [f"grep -qxF -- {shlex.quote(line)} .shown" for line in wanted.splitlines() if line.strip() != "..."]
    return "\n".join(parts)
