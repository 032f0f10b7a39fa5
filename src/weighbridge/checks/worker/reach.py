"""What a worker can read, and the proof that no secret is among it."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from weighbridge.checks.interface import CheckRequest, Options
from weighbridge.errors import UsageError

_SYSTEM_LIBRARIES: Final = ("/usr/lib", "/usr/lib32", "/usr/lib64", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache")
_SITES: Final = ("site-packages", "dist-packages")


def absolute(request: CheckRequest) -> CheckRequest:
    """Return the request with every path absolute, because a worker has another current directory."""
    named = frozenset(request.options.inputs())
    changes = {field: _absolute(getattr(request.options, field), named) for field in request.options.__struct_fields__}
    options: Options = msgspec.structs.replace(request.options, **changes)
    return CheckRequest(model=str(Path(request.model).absolute()), options=options, files=request.files)


def _absolute(value: object, named: frozenset[str]) -> object:
    if isinstance(value, str):
        return str(Path(value).absolute()) if value in named else value
    if isinstance(value, tuple):
        return tuple(_absolute(each, named) for each in value)
    return value


def runtime_paths() -> tuple[Path, ...]:
    """Return what the interpreter and its libraries need to read, whatever is examined."""
    package = Path(__file__).resolve().parents[2]
    roots = {Path(prefix) for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix)}
    found = [package, *map(Path, _SYSTEM_LIBRARIES)]
    for root in sorted(roots):
        found += [root / "lib", root / "lib64", root / "pyvenv.cfg"]
    for entry in filter(None, sys.path):
        # Where the project is installed from its sources, its parent directory is on the path and stays closed.
        path = Path(entry)
        if path.is_absolute() and (path.name in _SITES or any(path.is_relative_to(root / "lib") for root in roots)):
            found.append(path)
    return tuple(dict.fromkeys(found))


def refuse_secrets(secrets: Sequence[Path], *, asked: Iterable[Path], runtime: Iterable[Path]) -> None:
    """Refuse a worker that could read a secret, by its path, through a link, or as another name of the same file.

    A secret that is a directory is all that lies beneath it.

    Raises:
        UsageError: Naming the secret and the path that would open it.
    """
    inputs = [Path(os.path.realpath(path)) for path in asked]
    readable = [*inputs, *(Path(os.path.realpath(path)) for path in runtime)]
    for secret in secrets:
        real = Path(os.path.realpath(secret))
        for path in readable:
            if real.is_relative_to(path) or path.is_relative_to(real):
                raise _refusal(secret, path)
    shared = dict(_shared_names(secrets))
    if shared:
        for identity, path in _identities(inputs):
            if identity in shared:
                raise _refusal(shared[identity], path)


def _refusal(secret: Path, path: Path) -> UsageError:
    return UsageError(
        f"the check would be able to read the secret {secret}, because it may read {path}",
        remedy="keep keys outside the model, its inputs and the Python installation, without hard links to them",
    )


def _shared_names(secrets: Sequence[Path]) -> Iterator[tuple[tuple[int, int], Path]]:
    # Only a file with a second name can be met under another one.
    for secret in secrets:
        for _, status in _files(secret):
            if status.st_nlink > 1:
                yield (status.st_dev, status.st_ino), secret


def _identities(paths: Iterable[Path]) -> Iterator[tuple[tuple[int, int], Path]]:
    for path in paths:
        for found, status in _files(path):
            yield (status.st_dev, status.st_ino), found


def _files(path: Path) -> Iterator[tuple[Path, os.stat_result]]:
    real = Path(os.path.realpath(path))
    inside = (Path(directory, name) for directory, _, names in os.walk(real) for name in names)
    for found in inside if os.path.isdir(real) else (real,):
        with contextlib.suppress(OSError):
            status = found.stat(follow_symlinks=False)
            if stat.S_ISREG(status.st_mode):
                yield found, status
