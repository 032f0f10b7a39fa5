"""Which Python environment is meant when an audit names nothing: the active one, as pip would install into it.

The interpreter is never started: what it would run at its start is part of what is audited.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from weighbridge.checks.dependencies.sources.environment import find_sites
from weighbridge.errors import InputError, UsageError


@dataclass(frozen=True, slots=True)
class Environment:
    """A directory that holds installed packages, and how it was found."""

    path: Path
    found_by: str


def this_environment(variables: Mapping[str, str]) -> Environment:
    """Return the environment of $VIRTUAL_ENV, of the Python on PATH, or of the Python that runs this.

    Raises:
        UsageError: When none of them holds packages; also when $VIRTUAL_ENV does not, since that one was meant.
    """
    for candidate in _candidates(variables):
        if _holds_packages(candidate.path):
            return candidate
        if candidate.found_by == "$VIRTUAL_ENV":
            raise UsageError(
                f"$VIRTUAL_ENV is {candidate.path}, which holds no installed package",
                remedy="activate an environment, or name one with --environment",
            )
    raise UsageError(
        "there is nothing to audit: no Python environment was found", remedy="give -r, --lock or --environment"
    )


def _candidates(variables: Mapping[str, str]) -> Iterator[Environment]:
    if active := variables.get("VIRTUAL_ENV"):
        yield Environment(Path(active), "$VIRTUAL_ENV")
    for name in ("python", "python3"):
        program = shutil.which(name, path=variables.get("PATH"))
        if program is None:
            continue
        # In a virtual environment the program is a link to another one's; whose it is says the place of the link.
        own = Path(os.path.abspath(program)).parent.parent
        if not (own / "pyvenv.cfg").is_file():
            own = Path(os.path.realpath(program)).parent.parent
        yield Environment(own, f"the Python on PATH, {program}")
    yield Environment(Path(sys.prefix), "the Python that runs weighbridge")


def _holds_packages(path: Path) -> bool:
    try:
        return bool(find_sites(path))
    except (InputError, ValueError):
        return False
