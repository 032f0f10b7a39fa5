"""The other end of a loader: start one in an environment, hand it batches, and read what became of them."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

ROOT: Final = Path(__file__).resolve().parents[3]
"""The checkout: the loader is imported from there."""


Names = dict[tuple[str, str], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Item:
    """One file to load: by which program, its bytes, and whether what it gives is used, too."""

    loader: str
    data: bytes
    used: bool = True


@dataclass(frozen=True, slots=True)
class Defect:
    """Something that loading or using a file did and must not do."""

    item: Item
    kind: str
    phase: str
    detail: str
    alone: bool | None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a batch. ``raised`` ended in a Python exception while loading, which is a fine end."""

    loaded: int
    raised: int
    defects: tuple[Defect, ...]


@dataclass(frozen=True, slots=True)
class Environment:
    """What an environment has: versions, what the listed names consist of, and files that its libraries wrote."""

    versions: dict[str, str]
    methods: Names
    parameters: Names
    seeds: tuple[bytes, ...]
    archives: tuple[bytes, ...]
    missing: tuple[str, ...]


class Session:
    """A loader that runs in an environment."""

    def __init__(self, python: Path, *, listed: frozenset[tuple[str, str]], few: bool = False) -> None:
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ},
            **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LOKY_MAX_CPU_COUNT"), "1"),
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
        }
        self._folder = tempfile.TemporaryDirectory(prefix="weighbridge-fuzz-")
        self._process = subprocess.Popen(
            [str(python.absolute()), "-m", "tests.fuzz.pickles.loader"],
            cwd=self._folder.name,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        self._send(json.dumps({"listed": sorted(listed), "describe": True, "few": few}).encode() + b"\n")
        self.environment = _environment(self._answer())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the loader."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._folder.cleanup()

    def load(self, items: list[Item]) -> Result:
        """Load a batch and wait for what became of it."""
        self.send(items)
        return self.receive(items)

    def send(self, items: list[Item]) -> None:
        """Hand over a batch; the loader works while the caller makes the next one."""
        columns = [[item.loader, len(item.data), item.used] for item in items]
        head = json.dumps(columns).encode()
        self._send(b"".join([head, b"\n", *(item.data for item in items)]))

    def receive(self, items: list[Item]) -> Result:
        """Wait for what became of the batch that was sent."""
        found = self._answer()
        defects = tuple(
            Defect(items[one["index"]], one["kind"], one["phase"], one["detail"], one["alone"])
            for one in found["defects"]
        )
        return Result(found["loaded"], found["raised"], defects)

    def _send(self, data: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the loader ended with {self._process.wait()}")
        found: dict[str, Any] = json.loads(line)
        return found


def _environment(found: dict[str, Any]) -> Environment:
    return Environment(
        versions=found["versions"],
        methods=_names(found["methods"]),
        parameters=_names(found["parameters"]),
        seeds=tuple(base64.b64decode(each) for each in found["seeds"]),
        archives=tuple(base64.b64decode(each) for each in found["torch"]),
        missing=tuple(found["missing"]),
    )


def _names(found: dict[str, list[str]]) -> Names:
    names: Names = {}
    for path, values in found.items():
        module, _, name = path.partition(" ")
        names[module, name] = tuple(values)
    return names
