"""Hash 4 GB in many files and in one, against ``sha256sum`` and OpenSSF Model Signing on the same files.

The files are read once before, so the page cache serves everybody alike: what is measured is hashing, not the disk.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from benchmarks.measure import Command, goal, interleave, table
from benchmarks.other_tools import ours, tools_python

MEGABYTE = 1_000_000
SHARE_OF_CORES = 0.95
PEAK_MIB = 80

MODEL_SIGNING = (
    "import sys; from pathlib import Path; import model_signing; model_signing.hashing.hash(Path(sys.argv[1]))"
)


def main() -> None:
    """Make the files, measure, and remove them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=4000)
    parser.add_argument("--files", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--directory", type=Path, help="where the files are made [default: the system's]")
    options = parser.parse_args()
    for count in (options.files, 1):
        with tempfile.TemporaryDirectory(dir=options.directory, prefix="weighbridge-bench-") as place:
            size = options.megabytes * MEGABYTE
            make_files(Path(place), count=count, size=size)
            compare(Path(place), count=count, size=size, rounds=options.rounds)


def make_files(directory: Path, *, count: int, size: int) -> None:
    """Write files of equal size and different content."""
    block = os.urandom(MEGABYTE - 8)
    for number in range(count):
        with (directory / f"model-{number + 1:05}-of-{count:05}.safetensors").open("wb") as stream:
            for part in range(size // count // MEGABYTE):
                stream.write(number.to_bytes(4, "big") + part.to_bytes(4, "big") + block)


def compare(directory: Path, *, count: int, size: int, rounds: int) -> None:
    """Measure one layout and say whether the goals hold."""
    cores = len(os.sched_getaffinity(0))
    find = "find . -type f -print0"
    commands = [
        Command("sha256sum", ["sh", "-c", f"{find} | xargs -0 sha256sum"], cwd=directory),
        Command(
            f"xargs -P{cores} sha256sum", ["sh", "-c", f"{find} | xargs -0 -n1 -P{cores} sha256sum"], cwd=directory
        ),
        Command("weighbridge digest", [ours("weighbridge"), "digest", str(directory)]),
        Command("model_signing", [str(tools_python()), "-c", MODEL_SIGNING, str(directory)]),
    ]
    results = interleave(commands, rounds=rounds)
    table(f"{size / 1e9:g} GB in {count} file{'s' if count > 1 else ''}", results, against="sha256sum", size=size)
    speed = results[0].seconds / results[2].seconds
    usable = min(cores, count)
    goal(
        f"{speed:.2f} times sha256sum; goal {SHARE_OF_CORES * usable:.2f} ({SHARE_OF_CORES} x {usable} cores)",
        reached=speed >= SHARE_OF_CORES * usable,
    )
    goal(f"peak {results[2].memory:.1f} MiB; goal {PEAK_MIB}", reached=results[2].memory <= PEAK_MIB)


if __name__ == "__main__":
    main()
