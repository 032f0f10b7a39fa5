"""What a schema says about the members of an object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CODE: Final = "code-reference"
REMOTE: Final = "remote-code"
OUTSIDE: Final = "outside-reference"


@dataclass(frozen=True, slots=True)
class Said:
    """What a schema says about one member; without a rule it cannot be decided, for the reason that it gives."""

    key: str
    message: str
    rule: str | None = CODE
    remedy: str = ""
    about: str = ""
    code: str = "unknown-role"


@dataclass(frozen=True, slots=True)
class Reading:
    """What one schema makes of an object: the members that it has judged, and what is wrong with them."""

    judged: frozenset[str]
    said: tuple[Said, ...] = ()


def show(value: object) -> str:
    """Return a value as a message quotes it."""
    return repr(value[:100]) if isinstance(value, str) else "what is no name" if value is not None else "nothing"


def outside(path: str) -> bool:
    """Tell whether a path leads out of the folder of the file that names it."""
    parts = path.replace("\\", "/").split("/")
    return path.startswith(("/", "\\", "~")) or ".." in parts or ":" in parts[0]
