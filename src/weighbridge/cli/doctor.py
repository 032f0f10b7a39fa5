"""``weighbridge doctor``."""

from __future__ import annotations

import platform
import sys
from importlib.util import find_spec

import click

from weighbridge import __version__

_EXTRAS = {
    "data": ("numpy", "pyarrow", "PIL"),
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
    from weighbridge.checks.worker import landlock, seccomp

    abi, filtered = landlock.abi(), seccomp.supported()
    click.echo(f"weighbridge {__version__}, Python {platform.python_version()} ({sys.executable})")
    click.echo(f"kernel {platform.release()} {platform.machine()}")
    click.echo(f"files:   {f'Landlock ABI {abi}' if abi else 'not confined: the kernel has no Landlock'}")
    network = "system call filter (seccomp)" if filtered else "not confined: no system call filter for this machine"
    click.echo(f"network: {network}")
    for extra, modules in _EXTRAS.items():
        missing = [name for name in modules if find_spec(name) is None]
        state = f"missing {', '.join(missing)}: pip install 'weighbridge[{extra}]'" if missing else "installed"
        click.echo(f"extra {extra}: {state}")
    if abi and filtered:
        click.echo("checks can be fully confined here")
        return 0
    click.echo(
        "checks cannot be fully confined here; their evidence says so, and a policy refuses it unless it allows that"
    )
    return 2
