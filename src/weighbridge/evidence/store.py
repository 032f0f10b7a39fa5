"""A directory of evidence, beside a model and never inside it, nor in the cache that holds it.

File names help people and are never trusted: what a file says is decided by its bytes.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from weighbridge._files import make_directory, read_entry, write_new
from weighbridge.errors import InputError, UsageError
from weighbridge.evidence.bundle import MAX_BUNDLE_BYTES, SUFFIX
from weighbridge.model.digest import Digest
from weighbridge.model.hub_cache import repository_of

ENVELOPE_SUFFIX: Final = ".intoto.jsonl"
"""How the file name of a bare envelope ends."""

MAX_EVIDENCE_FILES: Final = 4096
"""Most files that are read from one directory."""

MAX_EVIDENCE_BYTES: Final = 512 * 1024 * 1024
"""Most bytes that are read from one directory; whoever can put files there cannot exhaust the gate's memory."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file of the store: its name and its bytes, or why it could not be read."""

    name: str
    data: bytes
    problem: str = ""

    @property
    def sha256(self) -> str:
        """Return the sha256 of the bytes in hex."""
        return hashlib.sha256(self.data).hexdigest()


def results_of(model: Path) -> Path:
    """Return the path whose ending and neighbours are for what is written about a model when nobody says where.

    That is the model's own path. Of a snapshot in the Hub's cache it is ``ORG--NAME-REVISION`` in the current
    directory: the Hub's client takes what lies among the snapshots for a revision, or for a corrupted cache.
    """
    absolute = Path(os.path.abspath(model))
    repository = repository_of(absolute)
    if repository is None:
        return absolute
    name = repository.name.partition("--")[2]
    return Path(os.path.abspath(f"{name}-{absolute.name}"))


def beside(model: Path) -> Path:
    """Return where evidence about a model lies when nobody says otherwise: ``evidence`` beside ``results_of`` it."""
    return results_of(model).parent / "evidence"


@dataclass(frozen=True, slots=True)
class DirectoryStore:
    """Evidence in a directory."""

    path: Path

    def require_outside(self, model: Path) -> None:
        """Refuse a store inside the model, where writing evidence would change the digest.

        Raises:
            UsageError: When it is inside.
        """
        require_outside(self.path, model=model, what="the evidence directory")

    def write(self, data: bytes, *, kind: str, model: Digest, nonce: str) -> Path:
        """Add one bundle, whole or not at all, and return its path.

        Raises:
            OutputError: When it cannot be written or exists.
        """
        make_directory(self.path)
        target = self.path / f"{kind}-{model.short}-{nonce[:8]}{SUFFIX}"
        write_new(target, data)
        return target

    def read(self) -> Iterator[StoredFile]:
        """Yield every bundle and envelope in the order of their names.

        Raises:
            InputError: When the directory cannot be listed or holds too much.
        """
        try:
            names = sorted(item.name for item in self.path.iterdir() if item.name.endswith((SUFFIX, ENVELOPE_SUFFIX)))
        except OSError as error:
            raise InputError(
                f"the evidence directory {self.path} cannot be read: {error.strerror}",
                remedy="run the checks first, or name the directory with --evidence",
            ) from None
        if len(names) > MAX_EVIDENCE_FILES:
            raise InputError(
                f"{self.path} holds {len(names)} files of evidence; at most {MAX_EVIDENCE_FILES} are read",
                remedy="keep the evidence of each model in a directory of its own",
            )
        size = 0
        for name in names:
            try:
                data = read_entry(self.path / name, limit=MAX_BUNDLE_BYTES, what="the evidence")
            except InputError as error:
                yield StoredFile(name, b"", problem=error.message)
                continue
            size += len(data)
            if size > MAX_EVIDENCE_BYTES:
                raise InputError(
                    f"{self.path} holds more than {MAX_EVIDENCE_BYTES} bytes of evidence",
                    remedy="keep the evidence of each model in a directory of its own",
                )
            yield StoredFile(name, data)


def require_outside(path: Path, *, model: Path, what: str) -> None:
    """Refuse a path in or at a model, where writing would change or destroy what is judged.

    Of a snapshot in the Hub's cache the whole repository counts as the model: the bytes lie in its blobs.

    Raises:
        UsageError: When it lies there.
    """
    # Not Path.resolve, which fails on links that form a ring.
    target = Path(os.path.realpath(path))
    if target.is_relative_to(os.path.realpath(model)):
        raise UsageError(
            f"{what} {path} lies inside the model; writing there would change its digest",
            remedy="choose a place beside the model",
        )
    repository = repository_of(model)
    if repository is not None and target.is_relative_to(repository):
        raise UsageError(
            f"{what} {path} lies in {repository}, which holds the bytes of the model; writing there could destroy them",
            remedy="choose a place outside of the Hub's cache with --evidence or -o, or call this elsewhere",
        )
