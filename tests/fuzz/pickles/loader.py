"""Load batches of pickles in forked children and say what happened: run as a program inside an environment.

``python -m tests.fuzz.pickles.loader`` reads one line of JSON with what is listed, answers what is installed, and then
answers each batch with one line. A child that dies names the pickle it died of; the rest of the batch goes on in
another child, and whatever went wrong is tried once more alone.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import mmap
import os
import pickle
import select
import signal
import struct
import sys
import time
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

from tests.fuzz.pickles import honest, use, watch

SILENCE: Final = 60.0
"""Seconds at one pickle after which a child is ended, whatever it waits for."""

MAX_AGAIN: Final = 3
"""How many defects of one kind in one batch are tried again alone."""

Item = tuple[str, bytes, bool]
"""By which program a file is loaded, its bytes, and whether what it gives is used."""

_PHASES: Final = {0: "start", 1: "load", 2: "look", 3: "call", 4: "drop"}


def loads(kind: str, data: bytes) -> object:
    """Load as a program would: ``kind`` is pickle, python (the pure unpickler), joblib or torch."""
    if kind == "joblib":
        import joblib

        return joblib.load(io.BytesIO(data))
    if kind == "torch":
        import torch

        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=False)
    if kind == "python":
        return pickle._loads(data)  # type: ignore[attr-defined]
    return pickle.loads(data)


@dataclass
class Outcome:
    """What became of one batch."""

    loaded: int = 0
    raised: int = 0
    defects: list[dict[str, Any]] = field(default_factory=list)
    lazy: list[str] = field(default_factory=list)


class Loader:
    """Forks a child for each batch, and keeps what they share."""

    def __init__(self, listed: frozenset[tuple[str, str]], *, roots: frozenset[str]) -> None:
        self._shared = mmap.mmap(-1, 16)
        self._write: Callable[[str, str], None] = lambda kind, detail: None
        self._watch = watch.Watch(self._report, listed=listed, roots=roots)
        self._watch.install()
        self._roots = roots

    def _report(self, kind: str, detail: str) -> None:
        self._write(kind, detail)

    def batch(self, items: list[Item]) -> Outcome:
        """Load a batch; defects are tried again alone."""
        outcome = Outcome()
        start = 0
        while start < len(items):
            start = self._child(items, start, outcome)
        again: dict[str, int] = {}
        for defect in outcome.defects:
            # How long a call takes is no defect; see campaign.is_excused.
            idle = defect["kind"] == "time" and defect["phase"] != "load"
            count = again[defect["kind"]] = again.get(defect["kind"], 0) + (not idle)
            # The first few of a kind are enough: a rule that lacks lets hundreds through.
            defect["alone"] = self._again(items[defect["index"]], defect) if not idle and count <= MAX_AGAIN else None
        for name in outcome.lazy:
            if name.partition(".")[0] in self._roots:
                with contextlib.suppress(Exception):
                    importlib.import_module(name)
        return outcome

    def _again(self, item: Item, defect: dict[str, Any]) -> bool:
        alone = Outcome()
        self._child([item], 0, alone)
        return any(found["kind"] == defect["kind"] for found in alone.defects)

    def _child(self, items: list[Item], start: int, outcome: Outcome) -> int:
        """Load from ``start`` on in one child; return where to go on."""
        struct.pack_into("<II", self._shared, 0, start, 0)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            code = 1
            try:
                self._work(items, start, writing)
                code = 0
            finally:
                os._exit(code)
        os.close(writing)
        text, silent = _collect(reading, child, self._shared)
        status = os.waitpid(child, 0)[1]
        finished = False
        for line in text.decode("utf-8", "replace").splitlines():
            try:
                found = json.loads(line)
            except ValueError:
                continue
            if "loaded" in found:
                outcome.loaded += found["loaded"]
                outcome.raised += found["raised"]
                outcome.lazy += [name for name in found["lazy"] if name not in outcome.lazy]
                finished = True
            else:
                outcome.defects.append(found)
        if finished and status == 0:
            return len(items)
        index, phase = struct.unpack_from("<II", self._shared, 0)
        outcome.loaded += index - start
        outcome.defects.append(
            {"index": index, "phase": _PHASES[phase], "kind": _ending(status, silent=silent), "detail": ""}
        )
        return int(index) + 1

    def _work(self, items: list[Item], start: int, writing: int) -> None:
        index, phase = start, 0
        told: set[tuple[int, str]] = set()

        def report(kind: str, detail: str) -> None:
            if (index, kind) not in told:
                told.add((index, kind))
                line = {"index": index, "phase": _PHASES[phase], "kind": kind, "detail": detail}
                os.write(writing, json.dumps(line).encode() + b"\n")

        def enter(number: int) -> None:
            nonlocal phase
            phase = number
            struct.pack_into("<II", self._shared, 0, index, phase)

        self._write = report
        watch.filter_calls()
        watch.limit_memory()
        guard = self._watch
        loaded = raised = 0
        value: object = None
        for index in range(start, len(items)):
            kind, data, used = items[index]
            watch.start_clock(watch.CPU_SECONDS)
            enter(1)
            guard.active = True
            try:
                value = loads(kind, data)
                loaded += 1
                enter(2)
                found = use.parts(value) if used or len(items) == 1 else []
                use.look(found, report)
                # One in four is used in full: it takes ten times as long as looking.
                if len(items) == 1 or (used and zlib.crc32(data) % 4 == 0):
                    enter(3)
                    watch.start_clock(watch.CALL_SECONDS)
                    use.call(found)
            except MemoryError:
                guard.active = False
                report("memory", f"MemoryError beyond {watch.MEMORY} bytes")
            except BaseException:  # a Python exception is a fine end
                raised += phase == 1
            enter(4)
            found = []
            value = None
            guard.active = False
        os.write(writing, json.dumps({"loaded": loaded, "raised": raised, "lazy": sorted(guard.lazy)}).encode() + b"\n")


def _collect(reading: int, child: int, shared: mmap.mmap) -> tuple[bytes, bool]:
    """Read what a child says until it ends; end it when it stays at one pickle for too long."""
    place, end = shared[:8], time.monotonic() + SILENCE
    text, silent = b"", False
    with open(reading, "rb", buffering=0) as pipe:
        while True:
            ready, _, _ = select.select([pipe], [], [], 1.0)
            if ready:
                chunk = pipe.read(1 << 16)
                if not chunk:
                    return text, silent
                text += chunk
            elif shared[:8] != place:
                place, end = shared[:8], time.monotonic() + SILENCE
            elif time.monotonic() > end and not silent:
                os.kill(child, signal.SIGKILL)
                silent = True


def _ending(status: int, *, silent: bool) -> str:
    if silent:
        return "hang"
    if not os.WIFSIGNALED(status):
        return f"exit-{os.waitstatus_to_exitcode(status)}"
    number = os.WTERMSIG(status)
    named = {signal.SIGPROF: "time", signal.SIGSYS: "system-call"}
    return named.get(signal.Signals(number), f"crash-{signal.Signals(number).name}")


def prepare() -> None:
    """Take the network from this process, before anything is loaded; whoever starts it gives it an empty folder."""
    watch.leave_network()
    warnings.simplefilter("ignore")
    # To show a warning or an error, Python opens the source that it came from.
    warnings._showwarnmsg = lambda message: None  # type: ignore[attr-defined]
    sys.unraisablehook = lambda error: None
    sys.setrecursionlimit(1000)


def serve(reading: BinaryIO, writing: BinaryIO) -> None:
    """Answer one line of JSON for each request, until there is none."""

    def answer(value: dict[str, Any]) -> None:
        writing.write(json.dumps(value).encode() + b"\n")
        writing.flush()

    first = json.loads(reading.readline())
    listed = frozenset((module, name) for module, name in first["listed"])
    prepare()
    missing = honest.import_all({module for module, _ in listed})
    answer(honest.describe(listed, missing, few=bool(first.get("few"))))
    honest.warm(few=bool(first.get("few")))
    loader = Loader(listed, roots=honest.ROOTS)
    # What a child never collects it need not copy, either.
    gc.freeze()
    while line := reading.readline():
        items = [(kind, reading.read(size), used) for kind, size, used in json.loads(line)]
        outcome = loader.batch(items)
        answer(
            {
                "loaded": outcome.loaded,
                "raised": outcome.raised,
                "defects": outcome.defects,
                "lazy": outcome.lazy,
            }
        )


if __name__ == "__main__":
    # What libraries print must not stand among the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers)
