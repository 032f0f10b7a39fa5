"""The interpreter that nobody may read: what it is copied from, and where it is left as it lies."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.checks.worker.answers import told
from tests.checks.worker.conftest import Attempt
from tests.checks.worker.forging import as_user
from weighbridge.checks.worker import program

HERE = os.path.realpath(sys.executable)
ELF = b"\x7fELF" + bytes(60)


def test_is_the_same_program_that_can_be_executed_and_not_read() -> None:
    with program.unreadable(HERE) as copied:
        assert copied is not None
        assert stat.S_IMODE(os.fstat(copied).st_mode) == 0o111
        assert os.pread(copied, 1 << 26, 0) == Path(HERE).read_bytes()
        for change in (lambda: os.pwrite(copied, b"x", 0), lambda: os.ftruncate(copied, 0)):
            with pytest.raises(PermissionError):
                change()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(copied)


def test_an_ordinary_user_cannot_look_into_it_from_its_first_moment() -> None:
    script = """
import subprocess, sys
from weighbridge import _libc
from weighbridge.checks.worker import program
ask = "from weighbridge import _libc; import sys; print(_libc.prctl(_libc.PR_GET_DUMPABLE), sys.prefix, sys.executable)"
with program.unreadable(sys.executable) as copied:
    for executable, given in ((None, ()), (f"/proc/self/fd/{copied}", (copied,))):
        subprocess.run([sys.executable, "-I", "-c", ask], executable=executable, pass_fds=given, check=True)
"""
    before, after = as_user(script).splitlines()
    assert before == f"1 {sys.prefix} {sys.executable}"
    assert after == f"0 {sys.prefix} {sys.executable}"


@pytest.mark.parametrize(
    "content",
    [
        b"#!/bin/sh\nexec python3\n",
        ELF + b"$ORIGIN/../lib\0",
        ELF + b"${ORIGIN}/../lib\0",
        b"",
        b"\x7fELF",
    ],
)
def test_leaves_a_program_that_would_not_run_elsewhere(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "python").write_bytes(content)
    with program.unreadable(str(tmp_path / "python")) as copied:
        assert copied is None


def test_leaves_what_is_too_large_or_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (tmp_path, tmp_path / "nothing", Path("/dev/zero")):
        with program.unreadable(str(path)) as copied:
            assert copied is None
    (tmp_path / "python").write_bytes(ELF)
    monkeypatch.setattr(program, "MAX_PROGRAM", len(ELF) - 1)
    with program.unreadable(str(tmp_path / "python")) as copied:
        assert copied is None


def _refusing(monkeypatch: pytest.MonkeyPatch, number: int, *, first: int) -> list[int]:
    real, asked = os.memfd_create, list[int]()

    def refuse(name: str, flags: int = 0) -> int:
        asked.append(flags)
        if len(asked) <= first:
            raise OSError(number, os.strerror(number))
        return real(name, flags)

    monkeypatch.setattr(os, "memfd_create", refuse)
    return asked


def test_an_older_kernel_is_not_asked_for_what_it_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _refusing(monkeypatch, errno.EINVAL, first=1)
    with program.unreadable(HERE) as copied:
        assert copied is not None
    assert asked == [asked[1] | 0x10, asked[1]]


@pytest.mark.landlock
@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOSYS, errno.EMFILE])
def test_where_no_memory_may_be_executed_a_worker_runs_all_the_same(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    _refusing(monkeypatch, number, first=9)
    examination = attempt("use_scratch")
    assert told(examination) == "kept here"
    assert "though not while it started" in examination.confinement.summary


@pytest.mark.landlock
@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOENT, errno.ETXTBSY])
def test_where_the_kernel_does_not_start_the_copy_a_worker_runs_all_the_same(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    real, started = subprocess.Popen, list[object]()

    def refuse(*arguments: object, executable: str | None = None, **options: object) -> object:
        started.append(executable)
        if executable is not None:
            raise OSError(number, os.strerror(number))
        return real(*arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", refuse)
    assert told(attempt("use_scratch")) == "kept here"
    assert len(started) == 2
    assert started[1] is None


@pytest.mark.landlock
@pytest.mark.parametrize("name", ["use_scratch", "tell_descriptors"])
def test_a_worker_runs_from_the_copy_and_keeps_no_descriptor_of_it(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    copies = list[int | None]()
    real = program.unreadable

    def counted(path: str) -> object:
        found = real(path)
        copies.append(found.__enter__())
        found.__exit__(None, None, None)
        return real(path)

    monkeypatch.setattr(program, "unreadable", counted)
    assert told(attempt(name)) in ("kept here", "[3]")
    assert copies[0] is not None


@pytest.mark.landlock
@pytest.mark.namespaces
def test_the_evidence_says_since_when_nobody_could_look_in(model: Path) -> None:
    script = """
import sys
from weighbridge.checks.interface import LIMITS, CheckRequest, ModelScanOptions
from weighbridge.checks.worker.parent import examine
request = CheckRequest(model=sys.argv[1], options=ModelScanOptions())
print(examine(request, limits=LIMITS[request.check]).confinement.summary)
"""
    assert "its memory was closed to others from its start on" in as_user(script, model)


@pytest.mark.landlock
def test_a_worker_of_an_interpreter_by_another_name_runs(model: Path, tmp_path: Path) -> None:
    """A link in another virtual environment, as ``python -m venv`` makes it."""
    made = tmp_path / "venv"
    (made / "bin").mkdir(parents=True)
    (made / "bin" / "python").symlink_to(HERE)
    shutil.copy(Path(sys.prefix, "pyvenv.cfg"), made)
    packages = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    (made / packages).parent.mkdir(parents=True)
    (made / packages).symlink_to(Path(sys.prefix, packages))
    script = f"""
import sys
from weighbridge.checks.interface import LIMITS, CheckRequest, ModelScanOptions
from weighbridge.checks.worker.parent import examine
request = CheckRequest(model={str(model)!r}, options=ModelScanOptions())
print(sys.prefix, examine(request, limits=LIMITS[request.check]).output.undecided)
"""
    done = subprocess.run(
        [str(made / "bin" / "python"), "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    # It ran, and found that it was given no file of the model.
    assert done.stdout.startswith(f"{made} (Undecided(location='model'"), done.stderr
