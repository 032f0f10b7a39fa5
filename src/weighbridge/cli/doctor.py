"""``weighbridge doctor``."""

from __future__ import annotations

import platform
import sys
from importlib.util import find_spec

import click

from weighbridge import __version__

_EXTRAS = {
    "onnx": ("numpy", "onnxruntime"),
    "sklearn": ("numpy", "sklearn"),
    "report": ("jinja2",),
    "demo": ("numpy", "onnxruntime", "sklearn", "jinja2", "skl2onnx"),
}


@click.command(short_help="Say what this machine can do and what is missing.")
def command() -> int:
    """Say which confinement this kernel offers and which extras are installed.

    Exit code 0 when checks can be fully confined here, 2 when not.
    """
    from weighbridge.checks.worker import landlock

    abi = landlock.abi()
    click.echo(f"weighbridge {__version__}, Python {platform.python_version()} ({sys.executable})")
    click.echo(f"kernel {platform.release()} {platform.machine()}")
    if landlock.restricts_tcp(abi):
        click.echo(f"confinement: Landlock ABI {abi}: files and TCP")
    elif abi:
        click.echo(f"confinement: Landlock ABI {abi}: files, not TCP")
    else:
        click.echo("confinement: no Landlock; checks run with resource limits only, and evidence says so")
    for extra, modules in _EXTRAS.items():
        missing = [name for name in modules if find_spec(name) is None]
        state = f"missing {', '.join(missing)}: pip install 'weighbridge[{extra}]'" if missing else "installed"
        click.echo(f"extra {extra}: {state}")
    return 0 if landlock.restricts_tcp(abi) else 2
