"""What a worker can read, and the proof that no secret is among it."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from weighbridge.checks.interface import CheckRequest, Options
from weighbridge.checks.worker.grants import Grant, Identity, identity_of
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


def refuse_secrets(secrets: Sequence[Path], *, asked: Sequence[Grant], runtime: Iterable[Path]) -> None:
    """Refuse a worker that could read a secret, by its path, through a link, or as another name of the same file.

    A secret that is a directory is all that lies beneath it. What is asked for is judged as it was opened.

    Raises:
        UsageError: Naming the secret and the path that would open it.
    """
    readable = [
        *((grant.name, grant.real) for grant in asked),
        *((path, Path(os.path.realpath(path))) for path in runtime),
    ]
    for secret in secrets:
        real = Path(os.path.realpath(secret))
        for name, path in readable:
            if real.is_relative_to(path) or path.is_relative_to(real):
                raise _refusal(secret, name)
        # By identity too: a directory may have been given another name since it was opened.
        above = set(_identities(real.parents))
        for grant in asked:
            if grant.identity in above:
                raise _refusal(secret, grant.name)
    known = _known(secrets)
    for grant in asked:
        if grant.identity in known:
            raise _refusal(known[grant.identity].secret, grant.name)
    # Only a file with a second name can be met again inside of a directory.
    shared = {identity for identity, each in known.items() if each.names > 1}
    for grant in asked if shared else ():
        for path, identity in grant.files():
            if identity in shared:
                raise _refusal(known[identity].secret, path)


def refuse_copied(secrets: Sequence[Path], files: Mapping[str, Identity]) -> None:
    """Refuse a model of which a file was a secret when it was copied, by whatever name, though it may be gone since.

    Raises:
        UsageError: Naming the secret and the file.
    """
    known = _known(secrets)
    for name, identity in files.items():
        if identity in known:
            raise _refusal(known[identity].secret, Path(name))


def names_of(secrets: Sequence[Path]) -> dict[Identity, int]:
    """Return how many names each file among the secrets has."""
    return {identity: each.names for identity, each in _known(secrets).items()}


def require_no_new_name(secrets: Sequence[Path], *, before: Mapping[Identity, int]) -> None:
    """Return when no secret has more names than before: one may lie in a directory that a worker could read.

    Raises:
        UsageError: Otherwise.
    """
    for identity, each in _known(secrets).items():
        if each.names > before.get(identity, each.names):
            raise UsageError(
                f"the secret {each.secret} was given another name while a check could read directories; "
                "nothing that was found counts",
                remedy="find out who linked it, and keep keys where nobody else can",
            )


def _refusal(secret: Path, path: Path) -> UsageError:
    return UsageError(
        f"the check would be able to read the secret {secret}, because it may read {path}",
        remedy="keep keys outside the model, its inputs and the Python installation, without hard links to them",
    )


def _identities(paths: Iterable[Path]) -> Iterator[Identity]:
    for path in paths:
        with contextlib.suppress(OSError):
            yield identity_of(path.stat())


@dataclass(frozen=True, slots=True)
class _Known:
    """A file or directory that is a secret or lies beneath one, and how many names the file has."""

    secret: Path
    names: int


def _known(secrets: Sequence[Path]) -> dict[Identity, _Known]:
    # With what links beneath a secret lead to: that is how Kubernetes mounts one.
    found: dict[Identity, _Known] = {}
    for secret in secrets:
        real = Path(os.path.realpath(secret))
        beneath = (Path(folder, name) for folder, folders, names in os.walk(real) for name in (*folders, *names))
        for path in (real, *beneath):
            with contextlib.suppress(OSError):
                status = path.stat()
                names = status.st_nlink if stat.S_ISREG(status.st_mode) else 1
                found[identity_of(status)] = _Known(secret, names)
    return found
