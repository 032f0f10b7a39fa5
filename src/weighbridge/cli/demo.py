"""``weighbridge demo``."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterable
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Final

import click

from weighbridge._files import make_directory
from weighbridge.cli import execute
from weighbridge.errors import OutputError, UsageError

NEEDS: Final = ("numpy", "sklearn", "onnxruntime", "skl2onnx", "jinja2")

NAME: Final = "weighbridge-demo"
"""Name of the directory when none is given; a number follows where it is taken."""

FIRST_SIGNAL: Final = 128
"""Exit codes above are those of commands that a signal stopped."""


@click.command(short_help="Show the whole path on real data, on this machine.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Directory to make. [default: weighbridge-demo, or the next free name]",
)
def command(output: Path | None) -> int:
    """Train a small model on real images and take four models to the gate, each to its ending.

    Everything runs on this machine: no network, no container, no root. The commands shown are the ones that ran, and
    the directory keeps models, keys, evidence, verdicts and the report to look at.
    """
    missing = [name for name in NEEDS if find_spec(name) is None]
    if missing:
        raise UsageError(f"the demo needs {', '.join(missing)}", remedy="pip install 'weighbridge[demo]'")
    directory = _made(output)
    from weighbridge.demo.story import Story

    started = time.monotonic()
    try:
        endings = Story(directory.resolve(), command=_in_the_story, say=click.echo).tell()
    except BaseException:
        click.echo(f"{directory} is not complete; nothing in it is needed by the next run", err=True)
        raise
    click.echo("")
    for ending in endings:
        click.echo(f"{'as expected' if ending.as_expected else 'NOT AS EXPECTED'}: {ending.title}")
    click.echo(f"\n{time.monotonic() - started:.1f} s. The report: {directory / 'report.html'}")
    return 0 if all(ending.as_expected for ending in endings) else 1


def _in_the_story(arguments: list[str]) -> int:
    """Run one command with all that it says in one place, so that a log has its verdicts beside its tables.

    Raises:
        KeyboardInterrupt: When it was stopped by a signal, which stops the story too.
    """
    with contextlib.redirect_stderr(sys.stdout):
        code = execute(arguments)
    if code > FIRST_SIGNAL:
        raise KeyboardInterrupt
    return code


def _made(output: Path | None) -> Path:
    """Make the directory that was asked for, or the next one that is free; one that is there is never touched."""
    if output is not None:
        make_directory(output.parent)
        names: Iterable[Path] = (output,)
    else:
        names = (Path(NAME if number == 1 else f"{NAME}-{number}") for number in count(1))
    for name in names:
        try:
            name.mkdir()
        except FileExistsError:
            continue
        except OSError as error:
            raise OutputError(
                f"{name.absolute()} cannot be made: {error.strerror}",
                remedy="go to a directory where you may write, or name one with --output",
            ) from None
        return name
    raise UsageError(f"{output} exists already", remedy="choose another --output, or none: then a free name is taken")
