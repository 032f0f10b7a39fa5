"""Run many command lines, each as a process of its own, without starting Python anew for each.

Reads JSON from standard input: a list of argument lists, in hex; and writes for each how it ended. The locale and the
encodings are those that this program was started with, as they would be for the command.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable

SECONDS = 60
"""How long one command may take."""


def main() -> None:
    from weighbridge import cli

    for name in cli.COMMANDS:
        importlib.import_module(f"weighbridge.cli.{name.replace('-', '_')}")
    cases = json.load(sys.stdin)
    json.dump([_run([bytes.fromhex(item) for item in case], cli.main) for case in cases], sys.stdout)


def _run(arguments: list[bytes], command: Callable[[], None]) -> dict[str, object]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            _become(arguments, command, out.fileno(), err.fileno())
        code = _wait(child)
        texts = [os.pread(file.fileno(), 1 << 20, 0).hex() for file in (out, err)]
    return {"code": code, "out": texts[0], "err": texts[1]}


def _become(arguments: list[bytes], command: Callable[[], None], out: int, err: int) -> None:
    os.setsid()
    code = 99
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(err, 2)
        faulthandler.enable()
        sys.argv = ["weighbridge", *map(os.fsdecode, arguments)]
        command()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 98
    except BaseException:
        os.write(err, traceback.format_exc().encode(errors="replace"))
    finally:
        os._exit(code)


def _wait(child: int) -> int:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -int(signal.SIGALRM)


if __name__ == "__main__":
    main()
