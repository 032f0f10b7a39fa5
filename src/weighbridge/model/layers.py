"""Whether anybody here can reach the layers below an overlay: who writes to a layer changes what the overlay shows.

An overlay without an upper layer cannot be written itself, and that proves nothing: rootless engines mount such
overlays over directories of their own user. It is as good as a file system without writing only in a container whose
image volume it is, where root mounted it from directories that lie outside. What the kernel does not show is no proof,
so everything else is copied or watched.

https://docs.kernel.org/filesystems/overlayfs.html, "Changes to underlying filesystems"
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

_FIRST_OF_ALL: Final = {"user": "user:[4026531837]", "pid": "pid:[4026531836]"}
"""The namespaces that the kernel starts with; their numbers are fixed in ``include/uapi/linux/nsfs.h``."""

_LAYERS: Final = frozenset({"lowerdir", "lowerdir+", "datadir+"})
_UPPER: Final = frozenset({"upperdir", "workdir"})
_BETWEEN: Final = re.compile(r"(?<!\\):+")
"""Between two layers; a colon of a name has a backslash before it."""


def out_of_reach(options: Iterable[str], *, proc: Path) -> bool:
    """Tell whether an overlay with these options of the file system shows only what nobody in here can write.

    So it is when it has no upper layer, root mounted it (this process is in the first user namespace, into which
    nobody else can mount), this process is in a container, and no layer can be found from in here.
    """
    known = tuple(options)
    names = {option.partition("=")[0] for option in known}
    if "ro" not in names or names & _UPPER or not names & _LAYERS:
        return False
    return _in_a_container_of_root(proc) and all(map(_is_nowhere, _layers(known)))


def _in_a_container_of_root(proc: Path) -> bool:
    # Outside of a container the layers lie somewhere in this process's own tree, renamed or named from elsewhere.
    try:
        user, pid = (os.readlink(proc / "self" / "ns" / kind) for kind in ("user", "pid"))
    except OSError:
        return False
    return user == _FIRST_OF_ALL["user"] and pid != _FIRST_OF_ALL["pid"]


def _layers(options: tuple[str, ...]) -> Iterator[str]:
    for option in options:
        name, _, value = option.partition("=")
        if name == "lowerdir":
            yield from (layer.replace("\\:", ":") for layer in _BETWEEN.split(value))
        elif name in _LAYERS:
            yield value


def _is_nowhere(layer: str) -> bool:
    # Runtimes shorten a long list of layers to names beneath their store, which is no place in a container.
    if not layer.startswith("/"):
        return layer != ""
    try:
        os.stat(layer)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False
