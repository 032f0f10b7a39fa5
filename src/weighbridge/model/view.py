"""A private view of a model: the bytes that a check reads are those that were hashed, whatever happens on disk.

The parent makes it, never the process that examines: one read copies the model and hashes the copy, and every check,
the model's digest and its image are of that view. Where there is no room to copy, the view says so by its kind.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from weighbridge.errors import ModelError
from weighbridge.model.choice import Room, ViewKind, plan_view
from weighbridge.model.digest import Digest, Progress, Readable, Silent, checksums, combine
from weighbridge.model.listing import Entry
from weighbridge.model.pack import NoRoomError, copy, layout, require_untouched, seal
from weighbridge.model.resources import room_for
from weighbridge.model.shield import SHIELD
from weighbridge.model.tree import Tree, open_tree
from weighbridge.model.watch import start_watch

_NAMED: Final = 5
"""Most changed files that an error names."""


@dataclass(frozen=True, slots=True)
class ViewedFile:
    """One file of the model: its checksum, and where its bytes are from the view's descriptor on.

    With a ``path`` the descriptor is a directory, and the file lies beneath it; else it is the descriptor's own bytes
    from ``start`` on. ``elsewhere`` counts the names that the file on disk has outside the model, by hard links.
    """

    name: str
    size: int
    sha256: str
    path: str
    start: int
    elsewhere: int = 0


@dataclass(frozen=True, slots=True)
class PrivateView:
    """A model as checks are given it. ``summary`` says in one sentence for people how the bytes were held."""

    kind: ViewKind
    summary: str
    files: tuple[ViewedFile, ...]
    entries: tuple[Entry, ...]
    """The files as they lay on disk when they were read."""
    source: Path
    held: Readable
    descriptor: int

    @property
    def digest(self) -> Digest:
        """Return the digest of the bytes in the view."""
        return combine([(file.name, file.sha256) for file in self.files])

    def read(self, entry: Entry, *, buffer: memoryview) -> Iterator[memoryview]:
        """Yield a file's bytes, each time in the same buffer.

        Raises:
            ModelError: When they are not there.
        """
        yield from self.held.read(entry, buffer=buffer)

    @contextlib.contextmanager
    def opened(self) -> Iterator[int]:
        """Open the view once more, read-only, for one reader: what that does to its descriptor reaches no other."""
        try:
            descriptor = os.open(f"/proc/self/fd/{self.descriptor}", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            descriptor = os.dup(self.descriptor)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def require_source_unchanged(self) -> None:
        """Return when the model on disk still is what is in the view; only what looks changed is read again.

        Raises:
            ModelError: Naming the files that differ.
        """
        _refuse(_differing(self))

    def require_read_again(self, sums: Mapping[str, str]) -> None:
        """Return when another read of the view found the same sha256 of each file.

        Raises:
            ModelError: Naming the files that differ.
        """
        before = {file.name: file.sha256 for file in self.files}
        _refuse(sorted(name for name in before.keys() | sums.keys() if before.get(name) != sums.get(name)))


@contextlib.contextmanager
def private_view(model: Path, *, progress: Progress | None = None, room: Room | None = None) -> Iterator[PrivateView]:
    """Make a private view of a model, and take it away again.

    Leaving without an error means that the view was the same from its beginning to its end; so nothing may be signed
    before. ``room`` is what may be used; without it the machine is asked.

    Raises:
        ModelError: For everything that ``hash_model`` refuses; at the end, when the view itself was changed.
    """
    with ExitStack() as stack:
        # Whoever can look into this process can change what it holds and what it says about it, whatever the kind.
        stack.enter_context(SHIELD.up())
        tree = stack.enter_context(open_tree(model))
        allowed = room if room is not None else room_for(tree.sources)
        made = _make(tree, stack, allowed, progress or Silent())
        yield PrivateView(
            kind=made.kind,
            summary=made.summary,
            files=_files(tree, made),
            entries=tree.entries,
            source=model,
            held=made.held,
            descriptor=made.descriptor,
        )
        made.finish()


@dataclass(frozen=True, slots=True)
class _Made:
    kind: ViewKind
    summary: str
    held: Readable
    descriptor: int
    sums: list[str]
    starts: dict[str, int]
    finish: Callable[[], None]


def _make(tree: Tree, stack: ExitStack, room: Room, progress: Progress) -> _Made:
    plan = plan_view(layout(tree.entries)[1], room)
    against = dict(plan.against)
    for kind in plan.order:
        if kind is ViewKind.IMMUTABLE:
            return _immutable(tree, progress)
        try:
            if kind is ViewKind.SEALED:
                return _sealed(tree, stack, progress)
            if kind is ViewKind.COPY and room.place is not None:
                return _copied(tree, stack, room.place, against, progress)
        except NoRoomError as error:
            against[kind] = str(error)
    return _watched(tree, stack, against, progress)


def _sealed(tree: Tree, stack: ExitStack, progress: Progress) -> _Made:
    pack, sums = seal(tree, progress=progress)
    stack.callback(os.close, pack.descriptor)
    summary = "the model was copied into sealed memory, which nobody can change"
    return _Made(ViewKind.SEALED, summary, pack, pack.descriptor, sums, pack.starts, _nothing)


def _copied(tree: Tree, stack: ExitStack, directory: Path, against: dict[ViewKind, str], progress: Progress) -> _Made:
    pack, sums, lease = copy(tree, directory, progress=progress)
    stack.callback(os.close, pack.descriptor)
    made = os.fstat(pack.descriptor)
    summary = (
        "the model was copied into a file without a name, which only root can open "
        f"(not into sealed memory: {against.get(ViewKind.SEALED, 'it was not tried')})"
    )
    return _Made(
        ViewKind.COPY,
        summary,
        pack,
        pack.descriptor,
        sums,
        pack.starts,
        lambda: require_untouched(pack, made=made, lease=lease),
    )


def _immutable(tree: Tree, progress: Progress) -> _Made:
    sums = checksums(tree, progress=progress)
    tree.require_unchanged()
    summary = "the model was read where it lies, on a file system that cannot be written from where it was read"
    return _Made(ViewKind.IMMUTABLE, summary, tree, tree.places()[0], sums, {}, tree.require_unchanged)


def _watched(tree: Tree, stack: ExitStack, against: dict[ViewKind, str], progress: Progress) -> _Made:
    watch = start_watch(tree, stack, progress=progress)
    if watch.leased:
        guard = "the kernel answered for every file that nobody wrote it"
    else:
        guard = f"the kernel answered for {len(watch.leases)} of {len(tree.entries)} files that nobody wrote them"
    reasons = "; ".join(dict.fromkeys(against.values()))
    summary = (
        f"THE MODEL WAS READ WHERE IT LIES, hashed before and after, where others may write; {guard} "
        f"(no private copy: {reasons})"
    )
    return _Made(ViewKind.WATCHED, summary, tree, tree.places()[0], list(watch.sums), {}, watch.require_untouched)


def _files(tree: Tree, made: _Made) -> tuple[ViewedFile, ...]:
    places = tree.places()[1] if not made.starts and tree.directory else ("",) * len(tree.entries)
    inside = Counter(entry.inode for entry in tree.entries)
    return tuple(
        ViewedFile(
            name=entry.name,
            size=entry.size,
            sha256=checksum,
            path=place,
            start=made.starts.get(entry.name, 0),
            elsewhere=max(0, entry.names - inside[entry.inode]),
        )
        for entry, checksum, place in zip(tree.entries, made.sums, places, strict=True)
    )


def _refuse(names: list[str]) -> None:
    if names:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        raise ModelError(
            f"the model changed while it was examined; nothing was signed: {', '.join(names[:_NAMED])}{more}",
            remedy="stop whatever writes there and try again",
        )


def _differing(view: PrivateView) -> list[str]:
    with open_tree(view.source) as tree:
        now = {entry.name: entry for entry in tree.entries}
        before = {entry.name: entry for entry in view.entries}
        names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
        sums = {file.name: file.sha256 for file in view.files}
        # Other times on the same bytes are no change.
        both = tuple(now[name] for name in names if name in now and name in sums)
        looked_at = replace(tree, entries=both)
        found = checksums(looked_at, progress=Silent()) if looked_at.entries else []
        same = {entry.name for entry, found in zip(looked_at.entries, found, strict=True) if found == sums[entry.name]}
        return sorted(name for name in names if name not in same)


def _nothing() -> None:
    """Do nothing: sealed memory needs no second look."""
