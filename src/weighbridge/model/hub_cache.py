"""The cache of the Hugging Face Hub, the one layout in which links are read as files.

There a model is ``models--ORG--NAME/snapshots/REVISION``, and each of its files is a link to
``../../blobs/CHECKSUM``. The name is the link's and the bytes are the blob's, so such a model has the digest that a
copy with ``cp -rL`` has. Any other link, and any link elsewhere, stays refused: what it leads to could be anything.

https://huggingface.co/docs/huggingface_hub/guides/manage-cache
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from weighbridge.errors import ModelError
from weighbridge.model.leases import open_patiently

COPY: Final = "copy the model with its links followed, `cp -rL SRC DST`, and name DST"
"""What to do about a link."""

_DIRECTORY: Final = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_REPOSITORY: Final = "models--"
_SNAPSHOTS: Final = "snapshots"
_BLOBS: Final = "blobs"
_CHECKSUM: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
"""Names of blobs: git's own checksum, or sha256 for large files."""


@dataclass(frozen=True, slots=True)
class HubCache:
    """The blobs beside one snapshot, held open: whoever moves directories about later leads nobody elsewhere."""

    blobs: int
    repository: int
    revision: str

    def status(self, target: str, *, name: str) -> os.stat_result | None:
        """Return the status of the blob that a link of this name and text leads to; None when it leads elsewhere.

        Raises:
            ModelError: When it leads to a blob that is not there.
        """
        checksum = _blob(target, name=name)
        if checksum is None:
            return None
        try:
            status = os.stat(checksum, dir_fd=self.blobs, follow_symlinks=False)
        except FileNotFoundError:
            raise ModelError(
                f"{name!r} is a link to a blob that is not in the Hub's cache: the file was not downloaded, or was "
                "taken out",
                remedy="download the model again, as with `hf download`",
            ) from None
        except OSError:
            return None
        return status if stat.S_ISREG(status.st_mode) else None

    def open(self, target: str, *, name: str) -> int:
        """Open the blob that a link of this name and text leads to; the caller compares what was opened.

        Raises:
            OSError: When it is gone, or has become a link.
            ModelError: When the link leads elsewhere.
        """
        checksum = self.checksum(target, name=name)
        return open_patiently(checksum, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, beneath=self.blobs)

    def path_of(self, name: str, *, link: str) -> str:
        """Return where the bytes of a file of the snapshot lie beneath the repository; ``link`` is empty for no link.

        Raises:
            ModelError: When the link leads elsewhere.
        """
        if not link:
            return f"{_SNAPSHOTS}/{self.revision}/{name}"
        return f"{_BLOBS}/{self.checksum(link, name=name)}"

    def directories(self) -> dict[str, os.stat_result]:
        """Return the status of every directory on the way to the bytes, by its place beneath the repository.

        Raises:
            OSError: When one is gone.
        """
        inner = (_SNAPSHOTS, f"{_SNAPSHOTS}/{self.revision}", _BLOBS)
        found = {name: os.stat(name, dir_fd=self.repository, follow_symlinks=False) for name in inner}
        return {"": os.fstat(self.repository), **found}

    def moved(self) -> bool:
        """Tell whether another directory of blobs lies there now."""
        try:
            return not os.path.samestat(
                os.fstat(self.blobs), os.stat(_BLOBS, dir_fd=self.repository, follow_symlinks=False)
            )
        except OSError:
            return True

    def checksum(self, target: str, *, name: str) -> str:
        """Return the name among the blobs that a link of this name and text leads to.

        Raises:
            ModelError: When the link leads elsewhere.
        """
        checksum = _blob(target, name=name)
        if checksum is None:
            raise ModelError(f"{name!r} is a link that leads out of the cache", remedy=COPY)
        return checksum


def require_no_repository(model: Path, *, root: int) -> None:
    """Return when an open directory is no whole repository of the cache, which holds every revision of a model.

    Raises:
        ModelError: When it is one.
    """
    inside = {_SNAPSHOTS, _BLOBS}
    if Path(os.path.realpath(model)).name.startswith(_REPOSITORY) and inside <= set(os.listdir(root)):
        raise ModelError(
            f"{str(model)!r} is a whole repository of the Hub's cache, which may hold several revisions of a model",
            remedy=f"name one of them: {_SNAPSHOTS}/REVISION beneath it",
        )


def repository_of(path: Path) -> Path | None:
    """Return the repository of a Hub's cache in which a path lies, as its names say; None when it lies in none."""
    real = Path(os.path.realpath(path))
    for place in (real, *real.parents):
        if place.name in (_SNAPSHOTS, _BLOBS) and place.parent.name.startswith(_REPOSITORY):
            return place.parent
    return None


@contextlib.contextmanager
def open_cache(model: Path, *, root: int) -> Iterator[HubCache | None]:
    """Open the cache that an open model directory is a snapshot of; None when it is not one.

    The path gives the names to look for; what counts is that each name leads back to the directory that the open one
    really lies in. So neither a link in the path nor a directory moved meanwhile makes a cache of another place.
    """
    with contextlib.ExitStack() as held:
        yield _found(Path(os.path.realpath(model)), root, held)


def _found(model: Path, root: int, held: contextlib.ExitStack) -> HubCache | None:
    *_, repository, snapshots, revision = ("", "", *model.parts)
    if snapshots != _SNAPSHOTS or not repository.startswith(_REPOSITORY):
        return None

    def opened(name: str, *, beneath: int) -> int:
        descriptor = os.open(name, _DIRECTORY, dir_fd=beneath)
        held.callback(os.close, descriptor)
        return descriptor

    try:
        parent = opened("..", beneath=root)
        grandparent = opened("..", beneath=parent)
        above = opened("..", beneath=grandparent)
        chain = ((revision, parent, root), (snapshots, grandparent, parent), (repository, above, grandparent))
        if all(_leads(name, beneath=outer, to=inner) for name, outer, inner in chain):
            return HubCache(blobs=opened(_BLOBS, beneath=grandparent), repository=grandparent, revision=revision)
    except OSError:
        pass
    return None


def _leads(name: str, *, beneath: int, to: int) -> bool:
    return os.path.samestat(os.stat(name, dir_fd=beneath, follow_symlinks=False), os.fstat(to))


def _blob(target: str, *, name: str) -> str | None:
    # Exactly as the Hub's client writes it: from the link's own directory up to the repository, and into its blobs.
    prefix = "../" * (name.count("/") + 2) + f"{_BLOBS}/"
    checksum = target.removeprefix(prefix)
    return checksum if checksum != target and _CHECKSUM.fullmatch(checksum) is not None else None
