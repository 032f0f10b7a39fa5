"""However a worker ends, and whatever it answers, the outcome is one undecided entry that says why."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from tests import processes
from tests.builders import request_for
from tests.checks.worker.answers import told
from tests.checks.worker.conftest import LIMITS, Attempt
from weighbridge.checks.interface import CheckOutput, CheckRequest, Limits, ModelFile, ModelScanOptions
from weighbridge.checks.worker import frames
from weighbridge.checks.worker.parent import examine, examine_with
from weighbridge.errors import WorkerError

GOOD = '{"undecided": [{"location": "x", "reason": "honest"}]}'
SCAN = '{"measurements": {"kind": "model-scan", "files": [], "allowLists": {}}}'
LEAKAGE = """
{"measurements": {"kind": "leakage", "entries": [],
                  "members": {"name": "a", "sha256": "DIGEST", "rows": 1},
                  "nonMembers": {"name": "b", "sha256": "DIGEST", "rows": 1}}}
""".replace("DIGEST", "0" * 64)


def _shorter(**changes: int) -> Limits:
    fields = {"seconds": 30, "cpu_seconds": 30, "memory": 2 * 1024**3, "output": 1024 * 1024, **changes}
    return Limits(**fields)


def _refused(attempt: Attempt, name: str, *arguments: object, limits: Limits = LIMITS) -> str:
    examination = attempt(name, *arguments, limits=limits)
    assert examination.output.findings == ()
    assert examination.output.measurements is None
    assert examination.output.undecided[0].location == "worker"
    return told(examination)


def test_accepts_an_honest_answer(attempt: Attempt) -> None:
    assert told(attempt("answer", GOOD)) == "honest"
    assert attempt("answer", SCAN).output.measurements is not None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not acceptable"),
        ("{", "not acceptable"),
        ("[]", "Expected `object`"),
        ("null", "Expected `object`"),
        ("{}", "does not say why"),
        ('{"findings": []}', "does not say why"),
        (GOOD + " {}", "garbage"),
        ('{"undecided": [], "undecided": [{"location": "x", "reason": "y"}]}', "appears twice"),
        ('{"undecided": [{"location": "x", "reason": "y", "reason": "z"}]}', "appears twice"),
        (GOOD[:-1] + ', "verdict": "passed"}', "unknown field `verdict`"),
        (GOOD[:-1] + ', "subject": {"digest": {}}}', "unknown field `subject`"),
        (GOOD[:-1] + ', "finished": "2026-01-01T00:00:00Z"}', "unknown field `finished`"),
        (GOOD[:-1] + ', "confinement": {"filesystem": true}}', "unknown field `confinement`"),
        ('{"undecided": [{"location": "x", "reason": "%s"}]}' % ("y" * 4097), "length <= 4096"),
        ('{"undecided": [{"location": 1, "reason": "y"}]}', "Expected `str`"),
        (LEAKAGE, "has measurements of leakage, asked for was model-scan"),
        (SCAN.replace("[]", '[{"path": "a", "format": "b", "size": NaN, "state": "clean"}]'), "not acceptable"),
        (SCAN.replace("[]", '[{"path": "a", "format": "b", "size": -1, "state": "clean"}]'), ">= 0"),
        (SCAN.replace("[]", '[{"path": "a", "format": "b", "size": 1, "state": "fine"}]'), "fine"),
    ],
)
def test_refuses_an_answer_that_is_not_what_was_agreed(attempt: Attempt, text: str, why: str) -> None:
    reason = _refused(attempt, "answer", text)
    assert reason.startswith("the worker wrote garbage")
    assert why in reason


@pytest.mark.parametrize("name", ["answer_deep", "answer_not_utf8", "answer_many"])
def test_refuses_an_answer_that_would_hurt_a_parser(attempt: Attempt, name: str) -> None:
    assert _refused(attempt, name).startswith("the worker wrote garbage")


def test_refuses_a_second_confinement_as_the_answer(attempt: Attempt) -> None:
    honest = attempt("use_scratch", without=("landlock",)).confinement
    forged = msgspec.structs.replace(honest, filesystem=True, landlock_abi=9, summary="all is well")
    examination = attempt("answer", msgspec.json.encode(msgspec.to_builtins(forged)).decode(), without=("landlock",))
    assert "wrote garbage" in told(examination)
    assert examination.confinement == honest


def test_refuses_a_second_answer(attempt: Attempt) -> None:
    assert "something follows its answer" in _refused(attempt, "answer_twice", GOOD)


def test_refuses_an_answer_before_a_failure(attempt: Attempt) -> None:
    assert "ended with exit code 3" in _refused(attempt, "answer_then_fail", GOOD)


def _stopped_in_time(attempt: Attempt, name: str, *arguments: object, said: str) -> str:
    """Return why a worker was stopped that got as far as this; a busy machine needs a longer limit for that."""
    for seconds in (1, 4, 16):
        with contextlib.suppress(WorkerError):
            reason = _refused(attempt, name, *arguments, limits=_shorter(seconds=seconds))
            if said in reason:
                return reason
    return _refused(attempt, name, *arguments, limits=_shorter(seconds=64))


def test_refuses_an_answer_of_a_worker_that_does_not_end(attempt: Attempt) -> None:
    reason = _stopped_in_time(attempt, "answer_then_stay", GOOD, said="'answered'")
    assert reason.startswith("the worker timed out")
    assert "'answered'" in reason


@pytest.mark.parametrize("name", ["answer_bytes", "answer_huge"])
def test_refuses_an_answer_over_the_limit(attempt: Attempt, name: str) -> None:
    assert _refused(attempt, name).startswith("the worker wrote too much")


def test_refuses_an_honest_answer_over_the_limit(attempt: Attempt) -> None:
    assert _refused(attempt, "answer", GOOD, limits=_shorter(output=10)).startswith("the worker wrote too much")


@pytest.mark.parametrize("name", ["answer_half", "answer_nothing"])
def test_reports_a_worker_that_said_too_little(attempt: Attempt, name: str) -> None:
    assert "said too little: it ended without an answer" in _refused(attempt, name)


def test_reports_a_worker_that_closed_its_end(attempt: Attempt) -> None:
    assert "ended with exit code" in _refused(attempt, "close_answers")


def test_reports_a_worker_that_closed_its_end_and_stays(attempt: Attempt) -> None:
    said = "closed its end without an answer"
    assert said in _stopped_in_time(attempt, "close_answers_and_stay", said=said)


def test_stops_a_worker_that_floods_standard_output(attempt: Attempt) -> None:
    reason = _refused(attempt, "flood_text")
    assert "wrote too much" in reason
    assert len(reason) < 2000


def test_keeps_what_a_library_prints_out_of_the_answer(attempt: Attempt) -> None:
    assert told(attempt("print_much")) == "reached"


def test_stops_a_worker_that_is_deaf_to_signals(attempt: Attempt) -> None:
    reason = _stopped_in_time(attempt, "hang_deaf", said="'deaf'")
    stopped = r"the worker timed out: it was stopped after \d+ seconds; the end of what it printed: 'deaf'"
    assert re.fullmatch(stopped, reason)


def test_stops_a_worker_that_uses_the_processor_too_long(attempt: Attempt) -> None:
    assert "more processor time" in _refused(attempt, "spin", limits=_shorter(cpu_seconds=1))


def test_calls_a_check_off(attempt: Attempt, tmp_path: Path) -> None:
    stop = threading.Event()
    marker = tmp_path / "pid"
    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(attempt, "say_and_hang", marker, without=("landlock",), stop=stop)
        while not marker.exists():
            time.sleep(0.01)
        stop.set()
        assert told(outcome.result()) == "the worker was stopped because the check was called off"


def test_reports_a_worker_without_memory(attempt: Attempt) -> None:
    reason = _refused(attempt, "eat_memory", limits=_shorter(memory=512 * 1024 * 1024))
    assert reason == "the check needed more memory than it may use"


def test_reports_a_worker_that_recurses_without_end(attempt: Attempt) -> None:
    assert _refused(attempt, "go_deep") == "the check went deeper than it may"


def test_reports_a_worker_that_was_killed(attempt: Attempt) -> None:
    assert _refused(attempt, "kill_itself") == "the worker was killed by signal 9 (SIGKILL)"


def test_reports_a_worker_that_crashed(attempt: Attempt) -> None:
    assert _refused(attempt, "crash").startswith("the worker was killed by signal 11 (SIGSEGV)")


def test_reports_an_unexpected_error_in_one_clean_line(attempt: Attempt) -> None:
    reason = _refused(attempt, "raise_something")
    assert reason.startswith("the worker ended with exit code 1")
    assert "KeyError: " in reason
    assert "Traceback" not in reason
    assert reason.isprintable()


def test_reports_an_exit_code(attempt: Attempt) -> None:
    assert _refused(attempt, "exit_with", 0).startswith("the worker said too little")
    assert _refused(attempt, "exit_with", 7).startswith("the worker ended with exit code 7")


def test_bounds_a_fork_bomb(attempt: Attempt) -> None:
    assert told(attempt("bomb")).startswith("denied")


def test_bounds_the_threads_of_a_worker(attempt: Attempt) -> None:
    # Stacks count as address space, so the memory limit ends it.
    reason = _refused(attempt, "start_threads", limits=_shorter(memory=256 * 1024 * 1024))
    assert "start new thread" in reason or "more memory" in reason


def test_stops_a_worker_that_fills_the_scratch_directory(attempt: Attempt) -> None:
    assert "too much into its scratch directory" in _refused(attempt, "fill_scratch")


def test_refuses_a_large_file(attempt: Attempt) -> None:
    assert told(attempt("write_large_file")) == "denied: File too large"
    assert told(attempt("write_large_file", without=("rlimits",))) == "reached"


def test_raises_when_no_interpreter_starts(model: Path) -> None:
    request = request_for(model, ModelScanOptions())
    with pytest.raises(WorkerError, match="no worker can be started"):
        examine_with(("/nonexistent/python",), request, limits=LIMITS)


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("raise SystemExit(4)", "ended with exit code 4"),
        ("print('not a frame at all')", "wrote too much"),
        ("import sys; sys.stdout.buffer.write(bytes((0, 0, 0, 2)) + b'{}')", "missing required field"),
    ],
)
def test_raises_when_a_worker_cannot_be_confined(model: Path, program: str, why: str) -> None:
    request = request_for(model, ModelScanOptions())
    with pytest.raises(WorkerError, match=why):
        examine_with((sys.executable, "-I", "-c", program), request, limits=LIMITS)


def test_the_real_worker_takes_no_module_from_data(model: Path) -> None:
    output = examine(request_for(model, ModelScanOptions()), limits=LIMITS).output
    assert isinstance(output, CheckOutput)
    told_nothing = subprocess.run(
        [sys.executable, "-I", "-B", "-m", "weighbridge.checks.worker.child", "os"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert told_nothing.returncode == 1
    assert told_nothing.stdout == b""
    assert told_nothing.stderr == b"ParseError: the setup ends too early\n"


DEAF = """
import os, signal
from weighbridge.checks.worker import confine, frames
frames.write(1, frames.encode(confine.confine(frames.read(0, frames.Setup, what="it"))))
os.kill(os.getpid(), signal.SIGSTOP)
"""
"""A worker that is stopped before it reads its request."""


def _request_over_what_a_channel_holds(model: Path) -> CheckRequest:
    files = tuple(ModelFile(name=f"{number:0200}", size=0, path="/") for number in range(4000))
    return CheckRequest(model=str(model), options=ModelScanOptions(), files=files)


def test_a_worker_that_is_stopped_before_it_reads_does_not_stop_its_parent(model: Path) -> None:
    command = (sys.executable, "-I", "-B", "-c", DEAF)
    request = _request_over_what_a_channel_holds(model)
    assert "timed out" in told(examine_with(command, request, limits=_shorter(seconds=5)))


def test_a_check_is_called_off_while_the_request_is_sent(model: Path) -> None:
    command = (sys.executable, "-I", "-B", "-c", DEAF)
    stop = threading.Event()
    threading.Timer(2, stop.set).start()
    examination = examine_with(command, _request_over_what_a_channel_holds(model), limits=LIMITS, stop=stop)
    assert told(examination) == "the worker was stopped because the check was called off"


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "was killed by signal 9"),
        ("os.write(1, b'early'); os.kill(os.getpid(), signal.SIGSTOP)", "answered before it was asked"),
        ("os.close(1); os.kill(os.getpid(), signal.SIGSTOP)", "timed out"),
        ("print('x' * 20, file=sys.stderr); frames.read(0, dict, what='it')", "ended without an answer"),
    ],
)
def test_whatever_a_worker_does_instead_of_reading_is_said(model: Path, ending: str, said: str) -> None:
    program = "import sys\n" + DEAF.replace("os.kill(os.getpid(), signal.SIGSTOP)", ending)
    command = (sys.executable, "-I", "-B", "-c", program)
    request = _request_over_what_a_channel_holds(model)
    assert said in told(examine_with(command, request, limits=_shorter(seconds=10)))


PARENT = """
    import json, sys
    from weighbridge.checks.interface import CheckRequest, Limits, ModelScanOptions
    from weighbridge.checks.worker.parent import examine_with

    child, model, marker = sys.argv[1:]
    command = (sys.executable, "-I", "-B", child, "say_and_hang", json.dumps([marker]), "landlock")
    limits = Limits(seconds=60, cpu_seconds=60, memory=2**31)
    examine_with(command, CheckRequest(model=model, options=ModelScanOptions()), limits=limits)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_leaves_no_worker_when_the_parent_goes(model: Path, tmp_path: Path, number: signal.Signals) -> None:
    marker = tmp_path / "pid"
    child = Path(__file__).with_name("hostile_child.py")
    command = [sys.executable, "-c", textwrap.dedent(PARENT), str(child), str(model), str(marker)]
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    environment = {**os.environ, "TMPDIR": str(scratch)}
    with processes.started(command, env=environment, stderr=subprocess.DEVNULL) as parent:
        while not marker.exists() or not marker.read_bytes():
            assert parent.poll() is None
            time.sleep(0.01)
        parent.send_signal(number)
        parent.wait()
        worker = int(marker.read_text(encoding="ascii"))
        until = time.monotonic() + 60
        while processes.is_running(worker) and time.monotonic() < until:
            time.sleep(0.01)
        assert not processes.is_running(worker)
    # Who is killed tidies nothing up; what is left is the worker's, who has no secret.
    assert bool(list(scratch.iterdir())) == (number is signal.SIGKILL)


def test_a_worker_whose_parent_is_another_examines_nothing(tmp_path: Path) -> None:
    setup = frames.Setup(readable=(), scratch=str(tmp_path), parent=1, memory=2**31, cpu_seconds=10, files=64)
    ended = subprocess.run(
        [sys.executable, "-I", "-B", "-m", "weighbridge.checks.worker.child"],
        input=frames.encode(setup),
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stdout == b""
    assert ended.stderr == b"WorkerError: the process that started this worker is gone\n"
