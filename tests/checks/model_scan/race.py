"""A writer that changes a file in place while it is scanned, and a count of what the scans said meanwhile.

The file is mapped, so that the kernel tells nobody when it changes. Whatever a scan answers, its digest must be of the
bytes that it judged: clean goes with the digest of the clean bytes, and a finding never does.
"""

from __future__ import annotations

import hashlib
import mmap
import multiprocessing
import time
from collections import Counter
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path

from weighbridge.checks.model_scan.check import scan_file


@dataclass(frozen=True, slots=True)
class Outcome:
    """What so many scans said, how many digests were not of the judged bytes, and what they cost."""

    states: Counter[str]
    wrong: int
    torn: int
    cpu: float


def _flip(path: Path, first: bytes, second: bytes, stop: Event, go: Event) -> None:
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as view:
        go.set()
        while not stop.is_set():
            for _ in range(64):
                view[:] = second
                view[:] = first


def race(folder: Path, *, clean: bytes, forbidden: bytes, scans: int) -> Outcome:
    """Scan a file so many times while another process writes the two contents over each other."""
    assert len(clean) == len(forbidden)
    path = folder / "model.pkl"
    path.write_bytes(clean)
    sums = {hashlib.sha256(clean).hexdigest(): "clean", hashlib.sha256(forbidden).hexdigest(): "refused"}
    context = multiprocessing.get_context("fork")
    stop, go = context.Event(), context.Event()
    writer = context.Process(target=_flip, args=(path, clean, forbidden, stop, go))
    writer.start()
    states: Counter[str] = Counter()
    wrong = torn = 0
    try:
        go.wait(30)
        started = time.process_time()
        for _ in range(scans):
            report = scan_file(path, name="model.pkl")
            states[report.coverage.state] += 1
            owner = sums.get(str(report.coverage.sha256))
            # A read may fall between two writes; what it got is neither, and is judged for what it is.
            torn += owner is None
            if report.coverage.state != "undecided" and owner not in (None, report.coverage.state):
                wrong += 1
        cpu = time.process_time() - started
    finally:
        stop.set()
        writer.join(30)
    return Outcome(states, wrong, torn, cpu)
