"""A project's own settings: ``[tool.weighbridge]`` in ``pyproject.toml``, or ``weighbridge.yaml``.

It comes with a checkout, and whoever wrote the checkout may be whom the checks are about. So it may say how a report
looks, where in the checkout it goes and which files of the checkout are inputs, and nothing else: not what must hold,
who is trusted, which keys sign, where evidence lies, nor how hard is looked. What is taken is said on standard error.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path, PurePosixPath
from typing import Final

import click

from weighbridge._files import read_entry
from weighbridge.cli._variables import long_name, variable
from weighbridge.errors import InputError, UsageError

MAX_BYTES: Final = 1024 * 1024
"""Largest project file that is read."""

MAX_PATHS: Final = 64
"""Most paths of one setting."""

MAX_PATH: Final = 1024
"""Longest path, in characters."""

TOML: Final = Path("pyproject.toml")
YAML: Final = Path("weighbridge.yaml")

_NEVER_REPLACED: Final = (".sigstore.json", ".intoto.jsonl")
"""Endings of evidence and verdicts: a report in the place of one would be a failure that is gone."""

_HOSTILE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")


class Kind(Enum):
    """What a setting holds."""

    FORMAT = auto()
    OUTPUT = auto()
    INPUT = auto()
    INPUTS = auto()


_AUDITED: Final = {"requirement": Kind.INPUTS, "lock": Kind.INPUTS, "environment": Kind.INPUTS}
_MEASURED: Final = {"data": Kind.INPUT, "members": Kind.INPUT, "non-members": Kind.INPUT}
_SHOWN: Final = {"format": Kind.FORMAT, "output": Kind.OUTPUT}
_JUDGED: Final = {"format": Kind.FORMAT, "report": Kind.OUTPUT}

ALLOWED: Final[Mapping[str, Mapping[str, Kind]]] = {
    "scan": _SHOWN,
    "audit": {**_SHOWN, **_AUDITED},
    "robustness": {**_SHOWN, "data": Kind.INPUT},
    "leakage": {**_SHOWN, "members": Kind.INPUT, "non-members": Kind.INPUT},
    "gate": _JUDGED,
    "run": {**_JUDGED, **_AUDITED, **_MEASURED},
}
"""What each command takes from a project file, by the names of its options."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of one command, as it was written."""

    file: str
    option: str
    value: str | tuple[str, ...]

    def __str__(self) -> str:
        """Return the setting in words for standard error."""
        shown = self.value if isinstance(self.value, str) else ", ".join(self.value)
        return f"{self.file} says --{self.option} {shown}"


def take_settings(ctx: click.Context, command: click.Command, name: str) -> None:
    """Let the project file say what an option is that neither the command line nor the environment says.

    Raises:
        InputError, UsageError: As ``settings_for``.
    """
    settings = settings_for(name)
    if not settings:
        return
    from weighbridge.report._text import clean

    params = {long_name(param)[2:]: param.name for param in command.params if isinstance(param, click.Option)}
    for setting in settings:
        click.echo(f"note: {clean(str(setting))}", err=True)
    ctx.default_map = {name: {params[setting.option]: setting.value for setting in settings}}


def settings_for(command: str) -> tuple[Setting, ...]:
    """Return what the project file in the current directory says for a command.

    Raises:
        InputError: When the file cannot be read, or is not what its format says.
        UsageError: When it says something that it may not, anywhere in it.
    """
    if command not in ALLOWED:
        return ()
    found = {str(path): value for path in (TOML, YAML) if (value := _read(path)) is not None}
    if len(found) > 1:
        raise UsageError(f"both {TOML} and {YAML} have settings", remedy="keep them in one of them")
    for file, value in found.items():
        return _settings(file, value, command)
    return ()


def _read(path: Path) -> object | None:
    try:
        status = os.lstat(path)
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        # A link may lead out of the checkout, and whoever has one has it for other programs.
        if path == TOML:
            return None
        raise InputError(f"{path} is not a regular file", remedy="put the settings into the file itself")
    data = read_entry(path, limit=MAX_BYTES, what="the project file")
    if path == YAML:
        from weighbridge import _yaml

        return _yaml.load(data, name=str(path)).value
    if b"weighbridge" not in data:
        return None
    from weighbridge.checks.dependencies.sources.lock import parse_toml

    tool = parse_toml(data, what=str(path)).get("tool")
    return tool.get("weighbridge") if isinstance(tool, dict) else None


def _settings(file: str, value: object, command: str) -> tuple[Setting, ...]:
    found: list[Setting] = []
    for name, section in _mapping(value, file, "the settings").items():
        if name not in ALLOWED:
            raise _refused(file, name, command=None)
        for option, given in _mapping(section, file, name).items():
            kind = ALLOWED[name].get(option)
            if kind is None:
                raise _refused(file, option, command=name)
            setting = Setting(file, option, _value(given, kind, f"{file}: {name}.{option}"))
            if name == command:
                found.append(setting)
    return tuple(found)


def _mapping(value: object, file: str, what: str) -> dict[str, object]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise UsageError(f"{file}: {what[:80]} is no table of settings", remedy="write it like [tool.weighbridge.scan]")
    return value


def _refused(file: str, key: str, *, command: str | None) -> UsageError:
    where = f"{command}.{key[:80]}" if command else key[:80]
    by_hand = f"give --{key[:80]} on the command line, or set {variable(command or 'COMMAND', key[:80])}"
    return UsageError(
        f"{file} may not say {where}: it comes with a checkout, which is not to be trusted with what must hold, "
        "who is trusted, keys, evidence, exceptions, or how hard is looked",
        remedy=f"take it out; settings are {', '.join(_known(command))}; if it is an option, {by_hand}",
    )


def _known(command: str | None) -> tuple[str, ...]:
    return tuple(ALLOWED[command]) if command else tuple(ALLOWED)


def _value(given: object, kind: Kind, what: str) -> str | tuple[str, ...]:
    if kind is Kind.INPUTS:
        items = [given] if isinstance(given, str) else given
        if not isinstance(items, list) or not 1 <= len(items) <= MAX_PATHS:
            raise UsageError(f"{what} is no list of 1 to {MAX_PATHS} paths", remedy='write it like ["uv.lock"]')
        return tuple(_path(item, kind, what) for item in items)
    if kind is Kind.FORMAT:
        if not isinstance(given, str):
            raise UsageError(f"{what} is no text", remedy='write it like "json"')
        return given[:80]
    return _path(given, kind, what)


def _path(given: object, kind: Kind, what: str) -> str:
    if not isinstance(given, str) or not given or len(given) > MAX_PATH or _HOSTILE.search(given):
        raise UsageError(f"{what} is no path of 1 to {MAX_PATH} plain characters", remedy="write it like data/test.npz")
    path = PurePosixPath(given)
    if path.is_absolute() or ".." in path.parts or given == "-":
        raise UsageError(f"{what} leads out of the project", remedy="name a file below the project file")
    root = os.path.realpath(".")
    # What a link leads to is not what the settings say; of an output nothing on its way may be one.
    if os.path.realpath(path) != os.path.join(root, *path.parts):
        raise UsageError(f"{what} leads through a link", remedy="name the file itself")
    if kind is Kind.OUTPUT:
        _require_report(path, what)
    return str(path)


def _require_report(path: PurePosixPath, what: str) -> None:
    from weighbridge.cli._write import format_for

    if any(part.startswith(".") for part in path.parts) or path.name.endswith(_NEVER_REPLACED):
        raise UsageError(f"{what} is no place for a report", remedy="name a file such as report.html")
    format_for(Path(path), None)
