"""Write a report to standard output or a file, in the format that was asked for."""

from __future__ import annotations

import io
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from weighbridge._files import write_atomically
from weighbridge.errors import UsageError
from weighbridge.report.interface import ReportInput

if TYPE_CHECKING:
    from rich.console import RenderableType

    from weighbridge.evidence.record import Severity

_RENDERERS: Final[dict[str, tuple[str, str]]] = {
    "html": ("weighbridge.report.html", "render"),
    "markdown": ("weighbridge.report.markdown", "render"),
    "sarif": ("weighbridge.report.sarif", "render"),
    "junit": ("weighbridge.report.junit", "render"),
    "json": ("weighbridge.report.whole_json", "render"),
}

FORMATS: Final = ("text", *_RENDERERS)
"""Every format of a report; ``text`` is for a terminal."""

_ENDINGS: Final = {
    ".html": "html",
    ".md": "markdown",
    ".sarif": "sarif",
    ".xml": "junit",
    ".json": "json",
}


def format_for(path: Path | None, chosen: str | None) -> str:
    """Return the chosen format, or the one that a file name asks for, or text.

    Raises:
        UsageError: When the file name tells nothing.
    """
    if chosen is not None:
        return chosen
    if path is None:
        return "text"
    if path.suffix not in _ENDINGS:
        raise UsageError(
            f"{path.name} does not say which format it is",
            remedy=f"give --format, or end it with {', '.join(_ENDINGS)}",
        )
    return _ENDINGS[path.suffix]


def render(report: ReportInput, *, output: str) -> str:
    """Return the report as one text of a format other than ``text``.

    Raises:
        UsageError: When the format needs an extra that is not installed.
    """
    module, function = _RENDERERS[output]
    try:
        renderer = getattr(import_module(module), function)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("weighbridge"):
            raise
        raise UsageError(
            f"a report in {output} needs the package {error.name}", remedy="pip install 'weighbridge[report]'"
        ) from None
    return str(renderer(report))


def write(text: str, *, to: Path | None) -> None:
    """Write a text whole to a file, or to standard output."""
    if to is None:
        click.echo(text, nl=not text.endswith("\n"))
        return
    # The name of a model need not be UTF-8; an escape is right in JSON and readable elsewhere.
    write_atomically(to, text.encode(errors="backslashreplace"))


PLAIN_WIDTH: Final = 160
"""Columns of a table where there is no terminal to ask."""


def show(report: ReportInput, *, to: Path | None = None, least: Severity | None = None) -> None:
    """Print a report for a person, or write it to a file: the verdict when there is one, else every check."""
    from weighbridge.report.terminal import render as render_text

    show_rich(render_text(report, least=least), to=to)


def show_rich(*parts: RenderableType, to: Path | None = None) -> None:
    """Print what rich renders: coloured and as wide as the terminal, or plain and wide where there is none."""
    from rich.console import Console

    if to is not None:
        plain = Console(file=io.StringIO(), highlight=False, width=PLAIN_WIDTH, color_system=None)
        with plain.capture() as written:
            plain.print(*parts)
        write(written.get(), to=to)
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=PLAIN_WIDTH)
    for part in parts:
        console.print(part)
