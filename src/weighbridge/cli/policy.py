"""``weighbridge policy new|bind|show``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from weighbridge._files import replace_contents, write_new
from weighbridge.checks.dependencies.advisories import packaged_bundle
from weighbridge.checks.dependencies.info import describe_bundle
from weighbridge.cli._bindings import Given, bindings_of
from weighbridge.clock import format_instant, system_clock
from weighbridge.errors import UsageError
from weighbridge.evidence.measurements import InputRole
from weighbridge.policy import AdvisoriesBinding, DataBinding, FileBinding, Policy
from weighbridge.policy.answers import answered_for_ever
from weighbridge.policy.edit import bind as bind_in
from weighbridge.policy.inputs import Acceptance, named_roles
from weighbridge.policy.starter import starter_policy
from weighbridge.report._text import clean
from weighbridge.trust import read_bytes

C = TypeVar("C", bound=Callable[..., Any])

ROLES: Final = tuple(role.value for role in InputRole)
PATH: Final = click.Path(path_type=Path)
INPUT: Final = click.Path(path_type=Path, exists=True)
ACCEPTED_FOR: Final = timedelta(days=90)
"""How long it holds that somebody answers for old advisories."""


@click.group(short_help="Write a strict policy, and bind inputs in it.")
def command() -> None:
    """Write the strict starter policy, and say in a policy which inputs checks must have been done on.

    Evidence on inputs that nothing binds does not count: whoever is judged could choose them.
    """


def input_options(function: C) -> C:
    """Add the options that name inputs by their files."""
    for option in (
        click.option("--unbound", "unbound", type=click.Choice(ROLES), multiple=True, help="Any will do."),
        click.option("--about", help="Line of models that signed members or locks belong to."),
        click.option("--signed", "signed", multiple=True, metavar="ROLE=SIGNER", help="Signed by this trust role."),
        click.option("--advisories", type=INPUT, multiple=True, help="Advisory bundle."),
        click.option("--environment", "environments", type=INPUT, multiple=True, help="Installed environment."),
        click.option("--lock", "locks", type=INPUT, multiple=True, help="Lock file."),
        click.option("-r", "--requirement", "requirements", type=INPUT, multiple=True, help="Requirements file."),
        click.option("--non-members", type=INPUT, multiple=True, help="Examples that were not trained on."),
        click.option("--members", type=INPUT, multiple=True, help="Examples that were trained on."),
        click.option("--test", type=INPUT, multiple=True, help="Test examples for robustness."),
    ):
        function = option(function)
    return function


@command.command(short_help="Write the strict starter policy.")
@click.argument("policy", type=PATH)
@click.option("--name", default="production", show_default=True, help="Name of the policy.")
@input_options
@click.option("--accept-old-advisories", "reason", help="Why advisories of any age will do for 90 days.")
@click.option("--owner", help="Who answers for that.")
def new(policy: Path, name: str, reason: str | None, owner: str | None, **given: Any) -> None:  # noqa: ANN401
    """Write POLICY, the strict starter policy, cut to the inputs that are named.

    A scan and an audit are always asked for; robustness and leakage where their data are named. Without --advisories
    the snapshot that comes with weighbridge is bound.
    """
    found = Given(**given)
    accepted = _acceptance(reason, owner)
    bindings = bindings_of(found, fallback=packaged_bundle(), accepted=accepted)
    write_new(policy, starter_policy(name, bindings=bindings))
    _show(Policy.read(policy), policy)
    if not found.advisories and bindings[InputRole.ADVISORIES].binding != "unbound" and accepted is None:
        click.echo(_note_on_snapshot(), err=True)


def _note_on_snapshot() -> str:
    built = describe_bundle(packaged_bundle().read_bytes(), name="the snapshot").database.built
    return (
        f"note: advisories are bound to the snapshot that comes with weighbridge, of {built}. Seven days later no "
        "audit against it counts: give --advisories BUNDLE, or say who answers for its age with "
        "--accept-old-advisories REASON --owner NAME"
    )


@command.command(short_help="Bind inputs in a policy.")
@click.argument("policy", type=PATH)
@input_options
def bind(policy: Path, **given: Any) -> None:  # noqa: ANN401
    """Say in POLICY what binds the inputs of checks: these files by digest, a role that signs them, or nothing.

    What a role was bound by before is replaced, with the comments in it. Requirements, a lock or an environment named
    for the first time take the place of those that were unbound, which would else have to be given too. Everything
    else stays. A verdict names its policy by what it asks for, so models are judged again by the changed one.
    """
    found = Given(**given)
    bindings = bindings_of(found, fallback=None, accepted=None)
    if not bindings:
        raise UsageError("there is nothing to bind", remedy="name inputs, such as --test data/test.npz")
    changed = bind_in(read_bytes(policy), bindings=bindings, name=policy.name)
    Policy.parse(changed, name=policy.name)
    replace_contents(policy, changed)
    _show(Policy.read(policy), policy)
    click.echo("where a trust document listed it, list it again as it is now: `weighbridge trust policy TRUST FILE`")


@command.command(short_help="Print what a policy asks for, what binds what, and its digest.")
@click.argument("policy", type=PATH)
def show(policy: Path) -> None:
    """Print what POLICY asks for, what binds the inputs, and the digest by which trust documents list it."""
    _show(Policy.read(policy), policy)


def _acceptance(reason: str | None, owner: str | None) -> Acceptance | None:
    if reason is None and owner is None:
        return None
    if not reason or not owner:
        raise UsageError(
            "--accept-old-advisories needs a reason, and --owner says who answers for it", remedy="give both"
        )
    return Acceptance(reason=reason, owner=owner, expires=format_instant(system_clock() + ACCEPTED_FOR))


def _show(policy: Policy, path: Path) -> None:
    click.echo(f"{path}: {policy.name} (mode {policy.mode}) sha256:{policy.digest}")
    for requirement in policy.requirements:
        click.echo(f"  asks for {requirement.check}, signed by {', '.join(requirement.spec.signers)}")
    for role, binding in named_roles(policy.inputs):
        click.echo(f"  {role}: {clean(_words(binding))}")
    for said in (*_let_pass(policy), *answered_for_ever(policy, now=system_clock())):
        click.echo(f"  {clean(said)}")
    left = [role.value for role in InputRole if policy.binding(role) is None]
    if left:
        click.echo(f"  bound by nothing, so evidence on them does not count: {', '.join(left)}")


def _let_pass(policy: Policy) -> Iterator[str]:
    if policy.confinement == "recorded":
        yield "confinement: recorded, so evidence counts though its worker was not kept from files and network"
    if policy.view == "recorded":
        yield "view: recorded, so evidence counts though the model could be changed while it was examined"
    for requirement in policy.requirements:
        if requirement.accepted_until is not None:
            end = format_instant(requirement.accepted_until)
            yield f"{requirement.check}: ACCEPTED until {end}, limits that nothing can fail"
    for waiver in policy.waivers:
        spec = waiver.spec
        said = f"{spec.id} in {spec.component}; {spec.owner}: {spec.reason}"
        yield f"waived until {format_instant(waiver.expires)}: {said}"
    for workload in policy.workloads:
        spaces = ", ".join(workload.spec.namespaces)
        yield f"without a model until {format_instant(workload.expires)}: {workload.spec.purpose} in {spaces}"


def _words(binding: FileBinding | str) -> str:
    if isinstance(binding, str):
        return "UNBOUND: whoever calls the check chooses it; reports repeat this, and enforcing releases no pod"
    if binding.sha256:
        said = ", ".join(f"sha256:{digest}" for digest in binding.sha256)
        said = f"one of {said}" if len(binding.sha256) > 1 else said
    elif binding.signers:
        said = f"signed by {' or '.join(binding.signers)}"
        said += f" about {binding.about}" if binding.about is not None else ""
    else:
        said = "whatever the requester of a review supplied, which reports repeat"
    return said + _limits(binding)


def _limits(binding: FileBinding) -> str:
    found: list[str] = []
    match binding:
        case DataBinding(min_examples=least, distinct=distinct, bounds=bounds, label=label):
            found += [f"at least {least} examples"] if least is not None else []
            found += [f"{distinct} that differ"] if distinct is not None else []
            found += [f"bounds {list(bounds)}"] if bounds is not None else []
            found += [f"label {label}"] if label is not None else []
        case AdvisoriesBinding(sources=sources, at_least=records, max_age=age, accepted=accepted):
            found += [f"from {', '.join(sources)}"] if sources else []
            found += [f"at least {records} records in force"] if records is not None else []
            found += [f"at most {age} old"] if age is not None else []
            found += [f"{accepted.owner} answers for that: {accepted.reason}"] if accepted is not None else []
        case _:
            pass
    return f"; {', '.join(found)}" if found else ""
