"""What tests leave behind fails the session or the test, by name; each on a small suite of its own."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from tests import processes
from tests.leftovers import ProcessState
from tests.project.test_lanes import run_suite

LEAVES = """
import subprocess, sys, tempfile

def test_leaves_a_folder_and_a_process():
    tempfile.mkdtemp(prefix="weighbridge-worker-")
    # Told of nothing, and without a Popen whose end would be missed.
    subprocess.run(["setsid", "--fork", "sleep", "41.5"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
"""
CHANGES = """
import os, signal

def test_changes_everything():
    os.chdir("/")
    os.umask(0o011)
    os.environ["LEFT"] = "1"
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

def test_finds_nothing_changed():
    assert os.getcwd() != "/"
    assert "LEFT" not in os.environ
    assert signal.getsignal(signal.SIGHUP) != signal.SIG_IGN
"""


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one-process", "two-workers"])
def test_a_session_that_leaves_something_fails_and_names_it(tmp_path: Path, workers: tuple[str, ...]) -> None:
    done = run_suite(tmp_path, *workers, suite=LEAVES)
    assert done.returncode == 1, done.stdout
    assert "in the temporary folder: weighbridge-worker-" in done.stdout
    found = [line for line in done.stdout.splitlines() if line.startswith("a process: ")]
    assert [line.split(maxsplit=3)[3] for line in found] == ["sleep 41.5"]
    assert done.stdout.splitlines()[-1].startswith("1 passed in ")


def test_a_test_that_changes_its_process_fails_and_the_next_one_finds_it_as_it_was(tmp_path: Path) -> None:
    done = run_suite(tmp_path, suite=CHANGES)
    assert done.returncode == 1, done.stdout
    for left in ("the working directory, to /", "the umask, to 011", "the variable LEFT", "what is done on SIGHUP"):
        assert left in done.stdout
    assert "2 passed, 1 error" in done.stdout


def test_nothing_changed_is_nothing_to_say() -> None:
    assert ProcessState.now().restore() == []


@pytest.mark.parametrize("ignored", ["INT", "TERM"])
def test_a_child_is_told_of_signals_that_were_ignored_where_the_tests_were_started(ignored: str) -> None:
    number = signal.Signals[f"SIG{ignored}"]
    program = (
        "import signal, sys\n"
        "from tests import processes\n"
        "with processes.started(['sleep', '60']) as child:\n"
        "    while processes.ignores(child.pid, int(sys.argv[1])): pass\n"
        "    child.send_signal(int(sys.argv[1]))\n"
        "    print(child.wait())\n"
    )
    root = Path(__file__).resolve().parents[2]
    done = processes.run(["env", f"--ignore-signal={ignored}", sys.executable, "-c", program, str(number)], cwd=root)
    assert (done.stdout, done.stderr) == (f"{-number}\n", "")


def test_a_session_that_is_told_to_stop_ends_what_it_started_and_says_so(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    suite = (
        "import os, pathlib, signal, time\nfrom tests import processes\n\ndef test_waits():\n"
        "    with processes.started(['sleep', '60']) as child:\n"
        f"        pathlib.Path({str(marker)!r}).write_text(str(child.pid))\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "        time.sleep(60)\n"
    )
    done = run_suite(tmp_path, suite=suite)
    assert done.returncode == 2
    assert "KeyboardInterrupt" in done.stdout
    assert not processes.is_running(int(marker.read_text()))
