"""Find the files of a model that can be run, and load them.

Every one of them is measured: a model passes a limit only if each file that somebody could load does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from weighbridge.checks.interface import ModelFile
from weighbridge.checks.reading import read_whole
from weighbridge.checks.runners.interface import Runner, RunnerError
from weighbridge.checks.runners.joblib_stream import is_joblib, load_joblib
from weighbridge.checks.runners.kinds import Kind, kind_of
from weighbridge.checks.runners.unpickle import MAX_PICKLE_BYTES, AllowedGlobals, load_pickle

MAX_ENTRIES: Final = 64
"""Most files of one model that are measured; with more the check is undecided."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file that should be loadable, by its name inside the model; ``others`` are all files, it among them."""

    file: ModelFile
    others: tuple[ModelFile, ...] = ()

    @property
    def name(self) -> str:
        """Return its name inside the model."""
        return self.file.name

    def read(self, *, limit: int) -> bytes:
        """Return its bytes.

        Raises:
            RunnerError: When it cannot be read, or has more than the limit.
        """
        try:
            content = read_whole(self.file, limit=limit)
        except OSError as error:
            raise RunnerError(f"{self.name} cannot be read: {error.strerror}") from None
        if len(content) > limit:
            raise RunnerError(f"{self.name} has more than {limit} bytes")
        return content


@dataclass(frozen=True, slots=True)
class Loaded:
    """A runner and, for an artifact examination, the object behind it (None where there is none).

    ``beside`` names the other files of the model that its numbers came from. ``names`` are the model's own of its
    classes, in the order of the score columns; without any the classes are the runner's numbers.
    """

    runner: Runner
    content: object
    beside: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def find_entries(files: tuple[ModelFile, ...]) -> tuple[Entry, ...]:
    """Return every loadable file of a model, sorted by name: whatever it is called, its bytes say what it is.

    Raises:
        RunnerError: There is none, or there are too many.
    """
    loadable = [file for file in files if kind_of(file) is not Kind.NOTHING]
    found = [Entry(file, files) for file in sorted(loadable, key=lambda file: file.name)]
    if not found:
        raise RunnerError(
            "the model has no file that can be run: ONNX, or a pickle of scikit-learn by pickle or joblib was expected",
            remedy="Export the model to ONNX beside its other files (skl2onnx.to_onnx, torch.onnx.export).",
        )
    if len(found) > MAX_ENTRIES:
        raise RunnerError(f"the model has {len(found)} files that can be run; at most {MAX_ENTRIES} are measured")
    return tuple(found)


def files_beside(entry: Entry) -> dict[str, ModelFile]:
    """Return the files that lie in the directory of an entry or beneath, by their names from there."""
    folder, _, base = entry.name.rpartition("/")
    start = f"{folder}/" if folder else ""
    found = {file.name.removeprefix(start): file for file in entry.others if file.name.startswith(start)}
    found.pop(base, None)
    return found


@dataclass(frozen=True, slots=True)
class Safeguards:
    """What must hold before a pickle is loaded; see ``weighbridge.checks.runners.unpickle``.

    ``is_clean`` tells whether the model scan finds bytes clean, by the file's name; ``allowed`` gives its allow list.
    """

    confined: Callable[[], bool]
    is_clean: Callable[[str, bytes], bool]
    allowed: Callable[[], AllowedGlobals]


def worker_safeguards() -> Safeguards:
    """Return the safeguards of a worker: its own confinement, and the model scan."""
    from weighbridge.checks.model_scan.allow import allowed_globals, scan_pickle_bytes
    from weighbridge.checks.worker import state

    def is_clean(name: str, content: bytes) -> bool:
        # The bytes themselves are scanned, not the file again: it could be another one by then.
        result = scan_pickle_bytes(content, name=name)
        return not result.findings and not result.undecided

    return Safeguards(confined=state.confined, is_clean=is_clean, allowed=allowed_globals)


def load(entry: Entry, *, features: int, threads: int, safeguards: Safeguards) -> Loaded:
    """Load one entry file for rows of so many features; ``threads`` is for ONNX Runtime, scikit-learn gets one.

    Raises:
        RunnerError: The file cannot be loaded safely or at all, its library is not installed, or it is not a
            classifier over such rows.
    """
    kind = kind_of(entry.file)
    if kind is Kind.PACKED:
        raise RunnerError(
            f"{entry.name} is a compressed pickle, and compressed files are not loaded",
            remedy="Save it without compression: joblib.dump(joblib.load(FILE), OUT).",
        )
    if kind is Kind.ONNX:
        return _load_onnx(entry, features=features, threads=threads)
    return _load_pickle(entry, features=features, safeguards=safeguards)


def _load_onnx(entry: Entry, *, features: int, threads: int) -> Loaded:
    try:
        from weighbridge.checks.runners.onnx_model import MAX_ONNX_BYTES, OnnxRunner
    except ImportError as error:
        raise RunnerError(
            f"ONNX Runtime is not installed: {error}", remedy="Install weighbridge[onnx] where the check runs."
        ) from None
    content = entry.read(limit=MAX_ONNX_BYTES)
    beside = files_beside(entry)
    runner = OnnxRunner(content, name=entry.name, beside=beside, features=features, threads=threads)
    return Loaded(runner, None, tuple(file.name for file in runner.external.values()), runner.names)


def _load_pickle(entry: Entry, *, features: int, safeguards: Safeguards) -> Loaded:
    if not safeguards.confined():
        raise RunnerError(
            f"{entry.name} is a pickle, and this process is not confined: it is not loaded",
            remedy="Run the check where the kernel has Landlock (5.13 or newer), or give an ONNX export only.",
        )
    content = entry.read(limit=MAX_PICKLE_BYTES)
    if content[:1] != b"\x80":
        raise RunnerError(
            f"{entry.name} is no pickle of protocol 2 or newer, which was expected of its name",
            remedy="Save it again with pickle.dump(model, FILE) or joblib.dump(model, FILE) of today.",
        )
    if not safeguards.is_clean(entry.name, content):
        raise RunnerError(
            f"the model scan did not find {entry.name} clean, so it is not loaded",
            remedy="See the findings of the model scan.",
        )
    try:
        from weighbridge.checks.runners.sklearn_model import SklearnRunner
    except ImportError as error:
        raise RunnerError(
            f"scikit-learn is not installed: {error}", remedy="Install weighbridge[sklearn] where the check runs."
        ) from None
    read = load_joblib if is_joblib(content) else load_pickle
    model = read(content, allowed=safeguards.allowed())
    # BLAS and OpenMP threads wait by spinning: beside other work, two took ten times as long as one on small batches.
    runner = SklearnRunner(model, name=entry.name, features=features, threads=1)
    return Loaded(runner, model, names=runner.names)
