"""A worker program like the real one, whose check is hostile and whose defences can be left out.

``hostile_child.py ATTEMPT ARGUMENTS [DEFENCE ...]``: the defences named last are taken away, to prove that an attempt
succeeds without them. The real program takes no argument, so nothing can make it do this.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.checks.worker import hostile
from weighbridge.checks.interface import CheckOutput, CheckRequest
from weighbridge.checks.worker import child, landlock, privileges, rlimits, seccomp
from weighbridge.evidence.record import CheckName, Undecided


def _without_landlock() -> None:
    landlock.restrict = lambda **_: 0


def _without_seccomp() -> None:
    seccomp.install = lambda **_: False


def _without_rlimits() -> None:
    rlimits.apply = lambda **_: {}


def _without_capabilities() -> None:
    privileges.drop_capabilities = lambda: None


LEAVE_OUT: dict[str, Callable[[], None]] = {
    "landlock": _without_landlock,
    "seccomp": _without_seccomp,
    "rlimits": _without_rlimits,
    "capabilities": _without_capabilities,
}


def _find(_: CheckName) -> child.Run:
    def run(_: CheckRequest) -> CheckOutput:
        told = hostile.attempt(sys.argv[1], json.loads(sys.argv[2]))
        return CheckOutput(undecided=(Undecided(location="attempt", reason=told),))

    return run


if __name__ == "__main__":
    for defence in sys.argv[3:]:
        LEAVE_OUT[defence]()
    child.main(_find)
