"""A command that is told to stop: its workers and temporary files are gone before it is, and nothing was signed."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import time
from pathlib import Path

import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.neighbors import KNeighborsClassifier

from tests import processes
from tests.cli.conftest import Shell
from tests.cli.test_run import RUN, prepare

pytestmark = pytest.mark.landlock


@pytest.fixture
def long_run(shell: Shell) -> list[str]:
    """Return the command of a run that takes far longer than any test, with a temporary folder of its own."""
    data = load_breast_cancer()
    x, y = prepare(shell, data.data, data.target)
    (shell.directory / "model" / "model.pkl").write_bytes(pickle.dumps(KNeighborsClassifier(5).fit(x, y)))
    (shell.directory / "temporary").mkdir()
    return shell.line(*[item if item != "400" else "1000000" for item in RUN])


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    """Wait until a command has workers, each with its scratch folder, and return their process numbers."""
    while process.poll() is None:
        found: list[int] = []
        for task in Path(f"/proc/{process.pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += map(int, (task / "children").read_text().split())
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(process.communicate())


def ended(shell: Shell, line: list[str], number: signal.Signals) -> str:
    """Start a command, stop it by a signal as soon as it has workers, and return what it said."""
    variables = shell.variables(TMPDIR=str(shell.directory / "temporary"))
    pipe = subprocess.PIPE
    with processes.started(line, cwd=shell.directory, env=variables, stdout=pipe, stderr=pipe, text=True) as process:
        workers = workers_of(process)
        process.send_signal(number)
        _, err = process.communicate()
        left = [pid for pid in workers if processes.is_running(pid)]
    assert process.returncode == 128 + number, err
    assert "Traceback" not in err
    assert not left
    assert not os.listdir(shell.directory / "temporary")
    return str(err)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_ends_a_run_and_its_workers(shell: Shell, long_run: list[str], number: signal.Signals) -> None:
    assert "weighbridge: stopped" in ended(shell, long_run, number)
    assert not (shell.directory / "evidence").exists()
    assert not list(shell.directory.glob("*.part"))


def test_a_signal_ends_the_demo_and_names_what_is_not_complete(shell: Shell) -> None:
    (shell.directory / "temporary").mkdir()
    said = ended(shell, shell.line("demo"), signal.SIGTERM)
    assert "weighbridge-demo is not complete" in said
    assert not list((shell.directory / "weighbridge-demo").rglob("*.verdict.*"))


def test_a_signal_that_the_caller_ignores_stays_ignored(shell: Shell, long_run: list[str]) -> None:
    """Ctrl-C in a terminal reaches what a script has put into the background, and must not end it."""
    line = ["env", "--ignore-signal=INT,HUP", *long_run]
    with processes.started(
        line, cwd=shell.directory, env=shell.variables(), stderr=subprocess.PIPE, text=True
    ) as process:
        workers_of(process)
        asked = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)
        ignored = [processes.ignores(process.pid, number) for number in asked]
        process.terminate()
        process.communicate()
    assert ignored == [True, True, False]
    assert process.returncode == 128 + signal.SIGTERM


def test_workers_are_waited_for_where_the_caller_ignores_that_children_end(shell: Shell) -> None:
    (shell.directory / "model").mkdir()
    (shell.directory / "model" / "a.json").write_text("{}")
    scan = processes.run(
        ["env", "--ignore-signal=CHLD", *shell.line("scan", "model")], cwd=shell.directory, env=shell.variables()
    )
    assert scan.returncode == 0, scan.stderr
