"""Scan a file ten thousand times while another process writes forbidden bytes over clean ones and back.

No scan may say a digest that is not of the bytes which it judged. The file is mapped by the writer, so the kernel moves
no time of change for a page that is already dirty. The tests run the same with a few hundred scans.
"""

from __future__ import annotations

import argparse
import pickle
import tempfile
from pathlib import Path

from tests.checks.model_scan.race import race

from benchmarks.measure import goal
from weighbridge.checks.model_scan import held

SIZES = {"small, kept in memory": (200, held.MAX_KEPT), "large, held by blocks": (400_000, 0)}


def main() -> None:
    """Race for both ways in which a file is held, and say whether the goal holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scans", type=int, default=10_000, help="scans of each file")
    options = parser.parse_args()
    for what, (size, kept) in SIZES.items():
        held.MAX_KEPT = kept  # type: ignore[misc]
        filler = pickle.dumps(bytes(size), 4)[:-1] + b"0"
        with tempfile.TemporaryDirectory() as folder:
            outcome = race(
                Path(folder),
                clean=filler + b"C\x0b" + bytes(11) + b".",
                forbidden=filler + b"cos\ngetcwd\n)R.",
                scans=options.scans,
            )
        states = ", ".join(f"{count} {state}" for state, count in sorted(outcome.states.items()))
        print(f"{what}: {states}; {outcome.torn} reads fell between two writes; {outcome.cpu:.1f} s of processor time")
        goal(f"{outcome.wrong} wrong digests in {options.scans} scans; goal 0", reached=outcome.wrong == 0)


if __name__ == "__main__":
    main()
