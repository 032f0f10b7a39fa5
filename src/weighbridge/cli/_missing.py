"""Everything that a run lacks, in one table and before anything runs: not one message a try."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from weighbridge.cli._offers import AUDIT_OPTIONS, Offer, offers_for
from weighbridge.cli._passphrases import from_environment, locate_passphrase, variable_of
from weighbridge.cli._progress import somebody_looks
from weighbridge.errors import KeyFileError, UsageError
from weighbridge.gate.run import RunInputs
from weighbridge.policy import (
    DependencyAuditRequirement,
    LeakageRequirement,
    Policy,
    RequirementSpec,
    RobustnessRequirement,
)


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that a run needs: why, whether it is there, and the options that give it."""

    why: str
    options: tuple[str, ...]
    state: str = ""

    @property
    def missing(self) -> bool:
        """Tell whether it is not there."""
        return not self.state


def require_everything(needs: Iterable[Need], *, model: Path) -> None:
    """Return when nothing is missing; else print one table of all that is needed, on standard error.

    Raises:
        UsageError: When something is missing. Nothing has run by then, and no key was opened.
    """
    every = tuple(needs)
    missing = [need for need in every if need.missing]
    if not missing:
        return
    offers = offers_for(model)
    _print(every, offers)
    options = dict.fromkeys(" or ".join(need.options) for need in missing)
    count = "1 thing is" if len(missing) == 1 else f"{len(missing)} things are"
    raise UsageError(f"{count} missing, and nothing was run", remedy=f"give {', '.join(options)}")


def needs_of_inputs(policy: Policy, inputs: RunInputs) -> Iterator[Need]:
    """Yield what the requirements of a policy need to be measured."""
    for requirement in policy.requirements:
        yield from _of_requirement(requirement.spec, inputs)


def _of_requirement(spec: RequirementSpec, inputs: RunInputs) -> Iterator[Need]:
    match spec:
        case DependencyAuditRequirement():
            audited = [*inputs.locks, *inputs.requirements, *inputs.environments]
            yield _input("dependency-audit", "a lock, requirements or an environment", AUDIT_OPTIONS, audited)
        case RobustnessRequirement():
            yield _input("robustness", "test examples", ("--data",), [inputs.data])
        case LeakageRequirement():
            yield _input("leakage", "examples that were trained on", ("--members",), [inputs.members])
            yield _input("leakage", "examples that were not", ("--non-members",), [inputs.non_members])
        case _:
            pass


def _input(check: str, what: str, options: tuple[str, ...], given: Sequence[Path | None]) -> Need:
    names = ", ".join(str(path) for path in given if path is not None)
    return Need(f"the policy asks for {check}, which needs {what}", options, names)


def need_of_file(path: Path | None, *, option: str, why: str) -> Need:
    """Return the need of one file or directory that an option names."""
    if path is not None and not os.path.lexists(path):
        return Need(f"{why}, and {path} is not there: is its path right?", (option,))
    return Need(why, (option,), "" if path is None else str(path))


def needs_of_keys(keys: Path | None, passphrases: Path | None, *, roles: Iterable[str]) -> Iterator[Need]:
    """Yield the key file and the passphrase of each role; none is opened."""
    for role in sorted(roles):
        if keys is None:
            yield Need(f"a key signs for the role {role}", ("--keys",))
        elif not (keys / f"{role}.key").is_file():
            yield Need(f"{keys / role}.key is missing, which signs for the role {role}", ("--keys",))
        else:
            yield Need(f"a key signs for the role {role}", ("--keys",), str(keys / f"{role}.key"))
            yield _passphrase(passphrases, role)


def _passphrase(place: Path | None, role: str) -> Need:
    why = f"a passphrase opens the {role} key"
    options = ("--passphrase-file", f"${variable_of(role)}")
    if place is not None:
        try:
            return Need(why, options, str(locate_passphrase(place, role=role)))
        except KeyFileError as error:
            return Need(error.message, options)
    if from_environment(role):
        return Need(why, options, "in the environment")
    asks = sys.stdin is not None and sys.stdin.isatty() and somebody_looks()
    return Need(why, options, "asked for later" if asks else "")


def _print(needs: tuple[Need, ...], offers: tuple[Offer, ...]) -> None:
    from weighbridge.report._text import cut

    for need in needs:
        mark = "MISSING" if need.missing else "given  "
        found = [f"{offer.option} {offer.path}" for offer in offers if offer.option in need.options]
        click.echo(f"  {mark}  {cut(need.why)}", err=True)
        if need.missing:
            click.echo(f"           give {' or '.join(need.options)}", err=True)
        else:
            click.echo(f"           {cut(need.state)}", err=True)
        for text in found if need.missing else ():
            click.echo(f"           there is one: {cut(text)}", err=True)
