"""``weighbridge demo``."""

from __future__ import annotations

import time
from importlib.util import find_spec
from pathlib import Path

import click

from weighbridge._files import make_directory
from weighbridge.cli import run
from weighbridge.errors import UsageError

NEEDS = ("numpy", "sklearn", "onnxruntime", "skl2onnx", "jinja2")


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
    directory = output if output is not None else _free_name()
    if directory.exists():
        raise UsageError(f"{directory} exists already", remedy="choose another --output")
    make_directory(directory)
    from weighbridge.demo.story import Story

    started = time.monotonic()
    endings = Story(directory.resolve(), command=run, say=click.echo).tell()
    click.echo("")
    for ending in endings:
        click.echo(f"{'as expected' if ending.as_expected else 'NOT AS EXPECTED'}: {ending.title}")
    click.echo(f"\n{time.monotonic() - started:.1f} s. The report: {directory / 'report.html'}")
    return 0 if all(ending.as_expected for ending in endings) else 1


def _free_name() -> Path:
    number = 1
    while (name := Path("weighbridge-demo" if number == 1 else f"weighbridge-demo-{number}")).exists():
        number += 1
    return name
