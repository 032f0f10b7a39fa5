"""Measure whole processes, interleaved, and print medians with ratios.

A benchmark compares commands by running all of them in turn, again and again (A B C, A B C, ...), so that what else
the machine does falls on each alike. Time is wall time of the whole process; memory is the peak of the process or of
any process it waited for, as the kernel counts it.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Command:
    """One way to do the work."""

    name: str
    argv: Sequence[str]
    cwd: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    exit_codes: frozenset[int] = frozenset({0})


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: wall seconds, processor seconds of all its processes, peak memory in MiB."""

    seconds: float
    cpu: float
    memory: float


@dataclass(frozen=True, slots=True)
class Result:
    """All runs of one command."""

    name: str
    samples: tuple[Sample, ...]

    @property
    def seconds(self) -> float:
        """Return the median of the wall time."""
        return statistics.median(sample.seconds for sample in self.samples)

    @property
    def spread(self) -> tuple[float, float]:
        """Return the fastest and the slowest run."""
        return min(s.seconds for s in self.samples), max(s.seconds for s in self.samples)

    @property
    def memory(self) -> float:
        """Return the highest peak of all runs, in MiB."""
        return max(sample.memory for sample in self.samples)

    @property
    def cpu(self) -> float:
        """Return the median of the processor time."""
        return statistics.median(sample.cpu for sample in self.samples)


def run_once(command: Command) -> Sample:
    """Run a command to its end and measure it; a wrong exit code stops the benchmark with the command's output."""
    started = time.perf_counter()
    process = subprocess.Popen(
        list(command.argv),
        cwd=command.cwd,
        env={**os.environ, **command.environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    complaint = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.stderr.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in command.exit_codes:
        raise SystemExit(f"{command.name} exited {process.returncode}:\n{complaint.decode(errors='replace')[-2000:]}")
    return Sample(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def interleave(commands: Sequence[Command], *, rounds: int) -> list[Result]:
    """Run every command once to warm up, then all of them in turn for so many rounds."""
    for command in commands:
        run_once(command)
    samples: dict[str, list[Sample]] = {command.name: [] for command in commands}
    for _ in range(rounds):
        for command in commands:
            samples[command.name].append(run_once(command))
    return [Result(name, tuple(found)) for name, found in samples.items()]


def table(title: str, results: Sequence[Result], *, against: str, size: int = 0) -> None:
    """Print medians, each with its ratio to one of them; with ``size`` in bytes also the throughput.

    A ratio above one is so many times slower than the command that is compared with.
    """
    base = next(result for result in results if result.name == against).seconds
    width = max(len(result.name) for result in results)
    rate = f"{'GB/s':>8}" if size else ""
    print(f"\n{title}")
    print(f"{'':<{width}}  {'median s':>9}  {'fastest - slowest':>19}  {'ratio':>6}  {'cpu s':>7}  {'MiB':>7}{rate}")
    for result in results:
        low, high = result.spread
        rate = f"{size / result.seconds / 1e9:8.2f}" if size else ""
        print(
            f"{result.name:<{width}}  {result.seconds:9.3f}  {low:8.3f} - {high:8.3f}  "
            f"{result.seconds / base:6.2f}  {result.cpu:7.2f}  {result.memory:7.1f}{rate}",
            flush=True,
        )


def goal(text: str, *, reached: bool) -> None:
    """Print whether a goal was reached. A missed goal is a fact about this machine, not an error."""
    print(f"  {'reached' if reached else 'MISSED '}  {text}", flush=True)
