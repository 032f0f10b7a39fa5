"""The commands that do again what a report shows, made from what the evidence says and never from a path of a machine.

A name in evidence may have been written by an attacker, and a reader pastes these lines into a shell. So every name is
quoted, and one that cannot be written plainly is left for the reader to fill in.
"""

from __future__ import annotations

import re
import shlex
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from weighbridge.evidence.measurements import Input, InputRole, inputs_of
from weighbridge.evidence.record import CheckName, CheckRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from weighbridge.report.interface import ReportInput, VerdictView

MODEL: Final = "MODEL"
"""What stands for the model where its name cannot be written."""

FILE: Final = "FILE"
"""What stands for an input whose name cannot be written."""

MAX_NAME: Final = 120
"""Characters of a name that a command shows."""

COMMANDS: Final[Mapping[CheckName, str]] = MappingProxyType(
    {
        CheckName.MODEL_SCAN: "scan",
        CheckName.DEPENDENCY_AUDIT: "audit",
        CheckName.ROBUSTNESS: "robustness",
        CheckName.LEAKAGE: "leakage",
    }
)
"""The command of each check."""

_OPTIONS: Final[Mapping[InputRole, str]] = MappingProxyType(
    {
        InputRole.TEST: "--data",
        InputRole.MEMBERS: "--members",
        InputRole.NON_MEMBERS: "--non-members",
        InputRole.REQUIREMENTS: "-r",
        InputRole.LOCK: "--lock",
        InputRole.ENVIRONMENT: "--environment",
    }
)
"""The option of each input. Advisories are left out: the newest are wanted, and a snapshot comes with the program."""

_PARAMETERS: Final = ("epsilon", "queries", "samples")
"""Options of a robustness check that change what it measures."""

_PART: Final = re.compile(r"'[^']*'|\S+")
_PLAIN: Final = re.compile(r"[\w.@+,() =-]+", re.ASCII)


def check_command(record: CheckRecord, *, model: str) -> str:
    """Return the command that runs one check again."""
    parts = ["weighbridge", COMMANDS[record.check], _argument(model, otherwise=MODEL)]
    parts += _options(inputs_of(record.measurements))
    if record.check is CheckName.ROBUSTNESS:
        for name in _PARAMETERS:
            value = record.parameters.get(name)
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                parts += [f"--{name}", f"{value!r}"]
    return " ".join(parts)


def run_command(report: ReportInput) -> str:
    """Return the command that runs every check of the policy again and judges; without a verdict, an empty text."""
    verdict = report.verdict
    if verdict is None:
        return ""
    inputs = (item for view in report.evidence for item in inputs_of(view.record.measurements))
    parts = ["weighbridge", "run", _argument(report.model, otherwise=MODEL), "--policy", _policy(verdict)]
    parts += ["--trust", "TRUST.yaml", "--keys", "KEYS", *_options(inputs), "--report", "report.html"]
    return " ".join(parts)


def verify_command(report: ReportInput) -> str:
    """Return the command that has to be run before the model is loaded; empty where there is no passed verdict."""
    verdict = report.verdict
    if verdict is None or verdict.verdict != "passed" or verdict.signed_by is None:
        return ""
    model = _argument(report.model, otherwise=MODEL)
    signed = _argument(f"{report.model}.verdict.sigstore.json", otherwise="VERDICT")
    return f"weighbridge verify {model} --verdict {signed} --trust TRUST.yaml --policy {_policy(verdict)}"


def parts_of(command: str) -> list[str]:
    """Return the words of a command as they are written, so that a page breaks its lines between them only."""
    return _PART.findall(command)


def _policy(verdict: VerdictView) -> str:
    return _argument(verdict.policy_file, otherwise="POLICY.yaml")


def _options(inputs: Iterable[Input]) -> Iterator[str]:
    told: set[tuple[str, str]] = set()
    for item in inputs:
        option = _OPTIONS.get(item.role) if item.role is not None else None
        name = _argument(item.name, otherwise=FILE)
        if option is not None and (option, name) not in told:
            told.add((option, name))
            yield from (option, name)


def _argument(name: str, *, otherwise: str) -> str:
    """Return a name quoted for a shell; what is no plain file name, or might be read as an option, is filled in."""
    if not _PLAIN.fullmatch(name) or len(name) > MAX_NAME or name.startswith("-") or name.strip(".") == "":
        return otherwise
    return shlex.quote(name)
