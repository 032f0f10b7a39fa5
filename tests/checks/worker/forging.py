"""Programs of another process of the same user, which meddles while a model is examined."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

USER = ("unshare", "--user", "--map-user=1000") if os.getuid() == 0 else ()


def as_user(script: str, *arguments: object) -> str:
    """Run a program as an ordinary user, who is attacker and victim in one, and return what it printed."""
    if USER and subprocess.run([*USER, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("no user namespaces here, and root reaches everything")
    done = subprocess.run(
        [*USER, sys.executable, "-c", script, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


EXAMINE = """
import sys
from pathlib import Path
from weighbridge.checks.interface import CheckRequest, ModelScanOptions
from weighbridge.checks.run import run_check
from weighbridge.clock import system_clock
from weighbridge.model.choice import Room
from weighbridge.model.view import private_view
room = None if sys.argv[2] == "sealed" else Room(memory=0, disk=2**50, unwritable=False, place=Path("/var/tmp"))
with private_view(Path(sys.argv[1]), room=room) as view:
    request = CheckRequest(model=sys.argv[1], options=ModelScanOptions())
    record = run_check(request, view=view, clock=system_clock, nonce="0" * 32)
print(view.kind.value, len(record.findings), "findings,", len(record.undecided), "undecided")
"""
"""The victim: examines the model that it is given, in a view of the kind that it is given."""

_FIND = """
import os
from pathlib import Path

def worker_of(parent):
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            its_parent = int(Path("/proc", name, "stat").read_text().rpartition(")")[2].split()[1])
            if its_parent == parent and b"worker.child" in Path("/proc", name, "cmdline").read_bytes():
                return int(name)
        except (OSError, IndexError):
            pass

def status(found, key):
    lines = Path(f"/proc/{found}/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(key + ":"))
"""

FORGE = (
    _FIND
    + """
import json, signal, struct, subprocess, sys, time

model, kind, examine = sys.argv[1:]
victim = subprocess.Popen([sys.executable, "-c", examine, model, kind], stdout=subprocess.PIPE, text=True)

def end_of_the_parent():
    for number in sorted(map(int, os.listdir(f"/proc/{victim.pid}/fd"))):
        if number > 2 and os.readlink(f"/proc/{victim.pid}/fd/{number}").startswith(("pipe:", "socket:")):
            lines = Path(f"/proc/{victim.pid}/fdinfo/{number}").read_text().splitlines()
            flags = int(next(line.split()[1] for line in lines if line.startswith("flags")), 8)
            if flags & os.O_ACCMODE in (os.O_RDONLY, os.O_RDWR):
                return f"/proc/{victim.pid}/fd/{number}"

while (found := worker_of(victim.pid)) is None and victim.poll() is None:
    pass
try:
    # Of a copy the end of the worker is opened, before that one is confined; else the parent's, after that.
    pipe = f"/proc/{found}/fd/1" if kind == "copy" else None
    if pipe:
        reader, writer = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), os.open(pipe, os.O_WRONLY)
    while status(found, "Seccomp") != "2":
        time.sleep(0.001)
    time.sleep(0.02)
    if not pipe:
        pipe = end_of_the_parent()
        reader, writer = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), os.open(pipe, os.O_WRONLY)
    while True:  # stop the parent when it has asked, and wait until the worker has answered and is gone
        os.kill(victim.pid, signal.SIGSTOP)
        until = time.monotonic() + 3
        while status(found, "State") != "Z" and time.monotonic() < until:
            time.sleep(0.005)
        if status(found, "State") == "Z":
            break
        os.kill(victim.pid, signal.SIGCONT)
        time.sleep(0.01)
    data, frames = b"", []
    try:
        while chunk := os.read(reader, 1 << 20):
            data += chunk
    except BlockingIOError:
        pass
    while data:
        (size,) = struct.unpack(">I", data[:4])
        frames, data = [*frames, data[4 : 4 + size]], data[4 + size :]
    frames[-1] = json.dumps({**json.loads(frames[-1]), "findings": [], "undecided": []}).encode()
    os.write(writer, b"".join(struct.pack(">I", len(frame)) + frame for frame in frames))
    os.close(writer)
except OSError:
    pass
finally:
    os.kill(victim.pid, signal.SIGCONT)
print(victim.communicate()[0])
"""
)
"""Drains what the worker answered, while the parent is stopped, and answers in its place that all is well."""

REMEMBER = (
    _FIND
    + """
import subprocess, sys, time

model, examine = sys.argv[1:]
victim = subprocess.Popen([sys.executable, "-c", examine, model, "sealed"], stdout=subprocess.DEVNULL)
memory = None
while victim.poll() is None and memory is None:
    try:
        found = worker_of(victim.pid)
        place = next(line for line in Path(f"/proc/{found}/maps").read_text().splitlines() if "[stack]" in line)
        memory = os.open(f"/proc/{found}/mem", os.O_RDWR)
    except (OSError, StopIteration):
        pass
if memory is None:
    print("denied")
else:
    while status(found, "Seccomp") != "2":
        time.sleep(0.001)
    top = int(place.split("-")[1].split()[0], 16) - 4096
    try:
        print("wrote", os.pwrite(memory, os.pread(memory, 16, top), top))
    except OSError:
        print("denied")
victim.wait()
"""
)
"""Opens the memory of a worker as early as it can, and writes it once the worker is confined."""

LOOK = (
    _FIND
    + """
import signal, subprocess, sys

model, kind, examine = sys.argv[1:]
victim = subprocess.Popen([sys.executable, "-c", examine, model, kind], stdout=subprocess.DEVNULL)
while worker_of(victim.pid) is None and victim.poll() is None:
    pass
try:
    os.close(os.open(f"/proc/{victim.pid}/mem", os.O_RDWR))
    print("reached")
except OSError:
    print("denied" if victim.poll() is None else "too late")
victim.wait()
"""
)
"""Opens the memory of the parent while its worker is there."""
