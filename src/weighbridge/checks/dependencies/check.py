"""The dependency audit as a check: runs in a worker that can read its inputs and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from weighbridge.checks.dependencies.advisories import Advisories, load_advisories
from weighbridge.checks.dependencies.inventory import Inventory
from weighbridge.checks.dependencies.judging import judge_pin
from weighbridge.checks.dependencies.reasons import not_judged
from weighbridge.checks.dependencies.text import plain
from weighbridge.checks.interface import MAX_FINDINGS, CheckOutput, CheckRequest, DependencyAuditOptions
from weighbridge.errors import InputError, UsageError
from weighbridge.evidence.measurements import AuditedComponent, DependencyAuditMeasurements, Input, InputRole
from weighbridge.evidence.record import Finding, Severity, Undecided

Reader = Callable[[Path], Inventory]

_PYLOCK: Final = re.compile(r"pylock(\.[^.]+)?\.toml")
_NO_INPUT: Final = "nothing to audit was named: give a requirements file, a lock file or an environment"


def run(request: CheckRequest, /) -> CheckOutput:
    """Audit what the options name against the bundle that they name.

    Bad input never raises: a bundle that cannot be used leaves everything undecided and unmeasured, an input that
    cannot be used is undecided by itself.
    """
    options = request.options
    if not isinstance(options, DependencyAuditOptions):
        raise UsageError(f"the dependency audit was given the options of {request.check}")
    try:
        advisories = load_advisories(Path(options.advisories))
        return audit(_inventories(options), advisories)
    except InputError as error:
        undecided = not_judged(
            "advisories-unusable", plain(str(error), limit=2000), location=Path(options.advisories).name
        )
        return CheckOutput(undecided=(undecided,))


def audit(inventories: Iterable[Inventory], advisories: Advisories) -> CheckOutput:
    """Judge every package of the inventories.

    Raises:
        ParseError: When an advisory about one of the packages is not what the OSV schema says.
    """
    findings: list[Finding] = []
    undecided: list[Undecided] = []
    components: set[tuple[str, str]] = set()
    inputs: list[Input] = []
    for inventory in inventories:
        inputs.extend(inventory.inputs)
        findings.extend(inventory.findings)
        undecided.extend(inventory.undecided)
        for pin in inventory.pins:
            judgement = judge_pin(pin, advisories)
            findings.extend(judgement.findings)
            undecided.extend(judgement.undecided)
            if judgement.decided:
                components.add((pin.name, pin.version))
        if not inventory.pins and not inventory.undecided and not inventory.passed_over:
            undecided.extend(
                not_judged("nothing-audited", "it names no package, so nothing was judged", location=each.name)
                for each in inventory.inputs[:1]
            )
    if not components and not undecided:
        undecided.append(not_judged("nothing-audited", "no package was judged", location="inputs"))
    return CheckOutput(
        findings=_first_findings(findings, undecided),
        undecided=_first_undecided(undecided),
        measurements=DependencyAuditMeasurements(
            database=advisories.database,
            sources=tuple(inputs),
            components=tuple(AuditedComponent(name=name, version=version) for name, version in sorted(components)),
        ),
    )


def reader_for(lock: Path) -> Reader:
    """Return the function that reads a lock of this name.

    Raises:
        InputError: When the name is that of no lock format that is understood.
    """
    if lock.name == "uv.lock":
        from weighbridge.checks.dependencies.sources.uvlock import read_uv_lock

        return read_uv_lock
    if lock.name == "poetry.lock":
        from weighbridge.checks.dependencies.sources.poetrylock import read_poetry_lock

        return read_poetry_lock
    if _PYLOCK.fullmatch(lock.name):
        from weighbridge.checks.dependencies.sources.pylock import read_pylock

        return read_pylock
    raise InputError(
        f"{plain(lock.name)!r} is no lock format that is understood; these are: uv.lock, poetry.lock, pylock.toml, "
        "pylock.NAME.toml",
        remedy="give requirements with -r, a directory of packages or a virtual environment with --environment",
    )


def _inventories(options: DependencyAuditOptions) -> list[Inventory]:
    readers: list[tuple[InputRole, Path, Callable[[Path], Reader]]] = [
        *((InputRole.REQUIREMENTS, Path(name), lambda _: _requirements) for name in options.requirements),
        *((InputRole.LOCK, Path(name), reader_for) for name in options.locks),
        *((InputRole.ENVIRONMENT, Path(name), lambda _: _environment) for name in options.environments),
    ]
    if not readers:
        return [Inventory(inputs=(), undecided=(not_judged("nothing-audited", _NO_INPUT, location="inputs"),))]
    return [_read(role, path, choose) for role, path, choose in readers]


def _read(role: InputRole, path: Path, choose: Callable[[Path], Reader]) -> Inventory:
    try:
        found = choose(path)(path)
        inputs = tuple(msgspec.structs.replace(each, role=role) for each in found.inputs)
        return replace(found, inputs=inputs)
    except InputError as error:
        reason, location = plain(error.message, limit=2000), plain(path.name)
        undecided = not_judged("input-not-read", reason, location=location, remedy=plain(error.remedy, limit=2000))
        return Inventory(inputs=(), undecided=(undecided,))


def _requirements(path: Path) -> Inventory:
    from weighbridge.checks.dependencies.sources.requirements import read_requirements

    return read_requirements(path)


def _environment(path: Path) -> Inventory:
    from weighbridge.checks.dependencies.sources.environment import read_environment

    return read_environment(path)


def _first_findings(findings: list[Finding], undecided: list[Undecided]) -> tuple[Finding, ...]:
    if len(findings) <= MAX_FINDINGS:
        return tuple(findings)
    # The worst are kept; that some are missing is itself undecided, so that the cut can never help a model pass.
    reason = f"{len(findings)} findings; only the {MAX_FINDINGS} worst are listed"
    undecided.insert(0, not_judged("audit-cut-short", reason, location="findings"))
    return tuple(sorted(findings, key=_badness, reverse=True)[:MAX_FINDINGS])


def _badness(finding: Finding) -> tuple[bool, int]:
    return finding.rule == "malware", Severity(finding.severity).rank


def _first_undecided(undecided: list[Undecided]) -> tuple[Undecided, ...]:
    if len(undecided) <= MAX_FINDINGS:
        return tuple(undecided)
    rest = len(undecided) - MAX_FINDINGS + 1
    return (
        *undecided[: MAX_FINDINGS - 1],
        not_judged("audit-cut-short", f"{rest} more places are undecided", location="undecided"),
    )
