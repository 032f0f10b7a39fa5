"""Look at what lies in a folder: models by their bytes, locks, environments and data by what they are.

Bounded, without following a link, and without loading anything: a folder is somebody else's word until it is scanned.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from weighbridge._files import open_regular
from weighbridge.checks.model_scan.sniff import sniff

MAX_ENTRIES: Final = 20_000
"""Most files and directories that are looked at."""

MAX_DEPTH: Final = 6
"""How deep models are looked for."""

MAX_SHOWN: Final = 20
"""Most models that are listed."""

_START: Final = 4096
_MAX_ONNX: Final = 64 * 1024 * 1024
_SKIPPED: Final = frozenset({"node_modules", "__pycache__", "evidence", "keys", "passphrases", "site-packages"})
_MODELS: Final = frozenset({"pickle", "safetensors", "gguf", "hdf5"})
_PACKED_MODELS: Final = frozenset({"data.pkl", "metadata.json"})
"""First files of archives that torch and Keras write."""

_DATA: Final = frozenset({"x.npy", "y.npy"})
"""First files of archives of examples, as ``numpy.savez`` writes them."""

_MARKS: Final = frozenset({"MLmodel", "config.pbtxt", "saved_model.pb", "model.safetensors.index.json"})
"""Names that make a directory a model, whatever else lies in it."""

_CONFIGURED: Final = "config.json"
"""The same where weights lie beside it."""

_PROJECT: Final = (".py", ".ipynb", ".toml", ".lock")
"""Endings of files that people work with, beside which a model may lie as a file of its own."""

LOCKS: Final = ("uv.lock", "poetry.lock", "pylock.toml")
REQUIREMENTS: Final = "requirements.txt"


@dataclass(frozen=True, slots=True)
class Survey:
    """What lies in a folder. ``is_model`` tells that the folder itself is one, where nothing may be written."""

    folder: Path
    models: tuple[Path, ...] = ()
    is_model: bool = False
    locks: tuple[Path, ...] = ()
    requirements: tuple[Path, ...] = ()
    environments: tuple[Path, ...] = ()
    data: tuple[Path, ...] = ()
    cut_short: bool = False


def survey(folder: Path) -> Survey:
    """Look at a folder, and say what of it is a model, a lock, an environment or data.

    Raises:
        OSError: When the folder cannot be listed.
    """
    os.listdir(folder)
    files: list[Path] = []
    environments: list[Path] = []
    walk = _walk(folder, environments)
    for path in walk:
        files.append(path)
        if len(files) >= MAX_ENTRIES:
            break
    weights = [path for path in files if _is_model_file(path)]
    marked = {path.parent for path in files if path.name in _MARKS}
    marked |= {
        path.parent for path in files if path.name == _CONFIGURED and any(w.parent == path.parent for w in weights)
    }
    models = sorted(
        {_model_of(path, folder, marked) for path in weights} | {_outermost(path, marked) for path in marked}
    )
    own = [path for path in files if path.parent == folder]
    return Survey(
        folder=folder,
        models=tuple(models[:MAX_SHOWN]),
        is_model=folder in marked or _is_below_a_model(folder) or _is_all_model(own, set(weights)),
        locks=tuple(path for path in own if path.name in LOCKS),
        requirements=tuple(path for path in own if path.name == REQUIREMENTS),
        environments=tuple(environments),
        data=tuple(path for path in files if _is_data(path) and path.parent in (folder, folder / "data")),
        cut_short=len(files) >= MAX_ENTRIES or len(models) > MAX_SHOWN,
    )


def _is_all_model(own: list[Path], weights: set[Path]) -> bool:
    # Weights alone, or with what describes them: then the folder is what somebody will name as the model.
    if weights.isdisjoint(own):
        return False
    return not any(path.suffix in _PROJECT or path.name == REQUIREMENTS or _is_data(path) for path in own)


def _is_below_a_model(folder: Path) -> bool:
    above = Path(os.path.realpath(folder)).parents
    return any(os.path.lexists(place / mark) for place in above for mark in _MARKS)


def _walk(folder: Path, environments: list[Path]) -> Iterator[Path]:
    """Yield regular files, those of a directory before those below it; note virtual environments and leave them out."""
    pending = deque([(folder, 0)])
    for _ in range(MAX_ENTRIES):
        if not pending:
            return
        directory, depth = pending.popleft()
        try:
            with os.scandir(directory) as listing:
                entries = sorted(islice(listing, MAX_ENTRIES), key=lambda entry: entry.name)
        except OSError:
            continue
        if depth and any(entry.name == "pyvenv.cfg" for entry in entries):
            environments.append(directory)
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                hidden = entry.name.startswith(".") and entry.name != ".venv"
                if depth < MAX_DEPTH and not hidden and entry.name not in _SKIPPED:
                    pending.append((directory / entry.name, depth + 1))
            elif entry.is_file(follow_symlinks=False):
                yield directory / entry.name


def _model_of(weights: Path, folder: Path, marked: set[Path]) -> Path:
    # A file at the top is a model of its own; one in a directory belongs to it, and a version to what it is one of.
    if weights.parent == folder and folder not in marked:
        return weights
    place = weights.parent
    while place.name.isdigit() and place.parent != folder and place.parent.is_relative_to(folder):
        place = place.parent
    return _outermost(place, marked)


def _outermost(place: Path, marked: set[Path]) -> Path:
    return next((above for above in reversed(place.parents) if above in marked), place)


def _is_model_file(path: Path) -> bool:
    start, size = _start(path)
    kind = sniff(start)
    if kind in _MODELS:
        return True
    if kind == "zip":
        return _first_member(start) in _PACKED_MODELS
    return start[:1] == b"\x08" and _is_onnx(path, size)


def _is_data(path: Path) -> bool:
    start, _ = _start(path)
    return sniff(start) == "zip" and _first_member(start) in _DATA


def _start(path: Path) -> tuple[bytes, int]:
    try:
        with open_regular(path, flags=os.O_RDONLY | os.O_NOFOLLOW) as stream:
            return stream.read(_START), os.fstat(stream.fileno()).st_size
    except (OSError, ValueError):
        return b"", 0


def _first_member(start: bytes) -> str:
    """Return the name of the first file in a zip archive: its list of all could be as large as the archive."""
    length = int.from_bytes(start[26:28], "little")
    return start[30 : 30 + length].decode("utf-8", "replace").rpartition("/")[2]


def _is_onnx(path: Path, size: int) -> bool:
    from weighbridge.checks.model_scan.onnx import is_onnx
    from weighbridge.checks.model_scan.source import Memory

    if size > _MAX_ONNX:
        return path.suffix.lower() == ".onnx"
    try:
        with open_regular(path, flags=os.O_RDONLY | os.O_NOFOLLOW) as stream:
            return is_onnx(Memory(stream.read(_MAX_ONNX)))
    except (OSError, ValueError):
        return False
