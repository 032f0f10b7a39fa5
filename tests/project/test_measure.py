"""What the benchmarks measure with. No figure is asserted, only what is counted and in which order."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.bench_digest import make_files
from benchmarks.measure import Command, Result, Sample, interleave, run_once, table

ROOT = Path(__file__).resolve().parents[2]


def test_memory_counts_what_the_process_waited_for() -> None:
    hungry = f"import subprocess, sys; subprocess.run([{sys.executable!r}, '-c', 'bytearray(200 << 20)'], check=True)"
    assert run_once(Command("parent", [sys.executable, "-c", hungry])).memory > 200


def test_a_command_that_fails_stops_the_benchmark() -> None:
    with pytest.raises(SystemExit, match=r"broken exited 3:\nwhy"):
        run_once(Command("broken", ["sh", "-c", "echo why >&2; exit 3"]))


def test_an_expected_exit_code_does_not() -> None:
    run_once(Command("finds something", ["sh", "-c", "exit 1"], exit_codes=frozenset({0, 1})))


def test_commands_take_turns_after_a_round_that_is_not_measured(tmp_path: Path) -> None:
    log = tmp_path / "log"
    commands = [Command(name, ["sh", "-c", f"echo {name} >> {shlex.quote(str(log))}"]) for name in ("a", "b")]
    results = interleave(commands, rounds=2)
    assert log.read_text().split() == ["a", "b"] * 3
    assert [len(result.samples) for result in results] == [2, 2]


def test_the_table_shows_medians_and_ratios(capsys: pytest.CaptureFixture[str]) -> None:
    base = Result("base", tuple(Sample(seconds, 0.5, 10.0) for seconds in (1.0, 2.0, 9.0)))
    slow = Result("slow", (Sample(5.0, 1.5, 20.0),))
    table("title", [base, slow], against="base", size=4_000_000_000)
    rows = capsys.readouterr().out.splitlines()
    assert rows[3].split() == ["base", "2.000", "1.000", "-", "9.000", "1.00", "0.50", "10.0", "2.00"]
    assert rows[4].split() == ["slow", "5.000", "5.000", "-", "5.000", "2.50", "1.50", "20.0", "0.80"]


def test_the_files_differ_and_have_the_size_that_is_asked_for(tmp_path: Path) -> None:
    make_files(tmp_path, count=2, size=4_000_000)
    first, second = sorted(tmp_path.iterdir())
    assert first.stat().st_size == second.stat().st_size == 2_000_000
    assert first.read_bytes() != second.read_bytes()


def test_the_runner_refuses_a_benchmark_that_is_not_there() -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "run.py"), "nothing"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "digest, " in done.stderr
