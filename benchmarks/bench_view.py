"""Make each kind of private view of the same files, against ``sha256sum``: seconds, memory and disk.

Each view is made, and left again, by a process of its own that is told which room there is. What a view takes is what
the kernel counts of its one file: pages of memory for a sealed view, blocks of the disk for a copy. The files are read
once before, so the page cache serves everybody alike. ``immutable`` reads where the files lie, whatever file system
that is; ``watched`` reads twice.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.bench_digest import MEGABYTE, make_files
from benchmarks.measure import Command, Result, goal, interleave, table

PEAK_MIB = 80
MOST = 0.75
"""A sealed view should need at most this share of the processor time that ``sha256sum`` needs for the same files."""

VIEW = """
import json, os, sys
from pathlib import Path
from weighbridge.model.choice import Room
from weighbridge.model.view import private_view

kind, model, place = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
room = Room(
    memory=2**60 if kind == "sealed" else 0,
    disk=2**60 if kind == "copy" else 0,
    unwritable=kind == "immutable",
    place=place,
)
with private_view(model, room=room) as view:
    assert view.kind == kind, view.summary
    taken = os.fstat(view.descriptor).st_blocks * 512 if kind in ("sealed", "copy") else 0
print(json.dumps(taken))
"""
KINDS = ("sealed", "copy", "immutable", "watched")


def main() -> None:
    """Make the files, measure, and remove them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=400)
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--directory", type=Path, help="where files and copies are made [default: the system's]")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.directory, prefix="weighbridge-bench-") as place:
        model = Path(place, "model")
        model.mkdir()
        size = options.megabytes * MEGABYTE
        make_files(model, count=options.files, size=size)
        compare(model, place=Path(place), count=options.files, size=size, rounds=options.rounds)


def compare(model: Path, *, place: Path, count: int, size: int, rounds: int) -> None:
    """Measure every kind and say whether the goals hold."""
    commands = [
        Command("sha256sum", ["sh", "-c", "find . -type f -print0 | xargs -0 sha256sum"], cwd=model),
        *(Command(kind, command_for(kind, model, place)) for kind in KINDS),
    ]
    results = interleave(commands, rounds=rounds)
    table(f"{size / 1e9:g} GB in {count} files", results, against="sha256sum", size=size)
    costs(results, {kind: taken(kind, model, place) for kind in KINDS}, size=size)
    sealed = results[1]
    share = sealed.cpu / results[0].cpu
    goal(f"sealed: {share:.2f} of the processor time of sha256sum; goal {MOST}", reached=share <= MOST)
    peak = max(result.memory for result in results[1:])
    goal(f"peak {peak:.1f} MiB beside the view itself; goal {PEAK_MIB}", reached=peak <= PEAK_MIB)


def command_for(kind: str, model: Path, place: Path) -> list[str]:
    """Return the command that makes one view."""
    return [sys.executable, "-c", VIEW, kind, str(model), str(place)]


def taken(kind: str, model: Path, place: Path) -> int:
    """Return how many bytes a view of this kind holds, as the kernel counts them."""
    done = subprocess.run(command_for(kind, model, place), check=True, capture_output=True)
    found: int = json.loads(done.stdout)
    return found


def costs(results: list[Result], sizes: dict[str, int], *, size: int) -> None:
    """Print what each kind takes while it is held, as a share of the model, and its processor time."""
    base = results[0].cpu
    print(f"\n{'':<10}  {'memory / model':>14}  {'disk / model':>12}  {'cpu / sha256sum':>15}")
    for result in results[1:]:
        share = sizes[result.name] / size
        memory, disk = (share, 0.0) if result.name == "sealed" else (0.0, share)
        print(f"{result.name:<10}  {memory:14.2f}  {disk:12.2f}  {result.cpu / base:15.2f}")


if __name__ == "__main__":
    main()
