"""Run the benchmarks, all or those named: ``python benchmarks/run.py [digest] [start] ...``.

Each is a program of its own, ``bench_<name>.py``, that prints a table with ratios measured in the same run.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main(names: list[str]) -> int:
    """Run them one after the other, since they would disturb each other, and say which failed."""
    known = {path.stem.removeprefix("bench_"): path for path in sorted(HERE.glob("bench_*.py"))}
    if unknown := [name for name in names if name not in known]:
        print(f"no benchmark {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    print(describe_machine(), flush=True)
    failed = []
    for name in names or known:
        print(f"\n==== {name}", flush=True)
        started = time.perf_counter()
        environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
        if subprocess.run([sys.executable, str(known[name])], env=environment, check=False).returncode:
            failed.append(name)
        print(f"({name}: {time.perf_counter() - started:.0f} s)", flush=True)
    if failed:
        print(f"\nfailed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def describe_machine() -> str:
    """Return one line that says what the figures were measured on."""
    cores = len(os.sched_getaffinity(0))
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), platform.machine())
    load = os.getloadavg()[0]
    return f"{cores} cores, {model}, Linux {platform.release()}, Python {platform.python_version()}, load {load:.1f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
