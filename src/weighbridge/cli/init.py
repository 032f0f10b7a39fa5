"""``weighbridge init [FOLDER]``."""

from __future__ import annotations

import os
import secrets
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import click

from weighbridge._files import write_new
from weighbridge.checks.dependencies.advisories import packaged_bundle
from weighbridge.cli._bindings import Given, bindings_of
from weighbridge.cli._options import read_public_key
from weighbridge.cli._passphrases import keep_others_out
from weighbridge.cli._survey import Survey, survey
from weighbridge.cli.keys import write_pairs
from weighbridge.clock import format_instant, system_clock
from weighbridge.errors import InputError, OutputError, UsageError
from weighbridge.evidence.keys import KeyAlgorithm
from weighbridge.evidence.measurements import InputRole
from weighbridge.model.hub_cache import repository_of
from weighbridge.policy import Policy
from weighbridge.policy.inputs import Acceptance
from weighbridge.policy.starter import ROLES, starter_policy
from weighbridge.report._text import clean
from weighbridge.trust import edit as trust_edit

POLICY: Final = "policy.yaml"
TRUST: Final = "trust.yaml"
KEYS: Final = "keys"
PASSPHRASES: Final = "passphrases"

TRUSTED_FOR: Final = timedelta(days=30)
"""How long a trust document for trying out counts."""

_KEPT_OUT: Final = b"# Keys and passphrases belong into no repository.\n*\n"


@click.command(short_help="Start from nothing: a policy, and keys to try with.")
@click.argument("folder", type=click.Path(path_type=Path), default=Path(), metavar="[FOLDER]")
@click.option("--no-keys", is_flag=True, help="Write the policy alone.")
@click.option("--name", default="production", show_default=True, help="Name of the policy.")
def command(folder: Path, no_keys: bool, name: str) -> None:
    """Look at what lies in FOLDER (default: here) and write the strict starter policy for it, policy.yaml.

    Models are found by their bytes; the lock or requirements, and examples in files that are called test, members and
    non-members, are bound by digest. Beside it come trust.yaml, keys/ and passphrases/ for trying out: keys that count
    belong where models are not made. Nothing is overwritten, nothing is loaded, and no link is followed.
    """
    found = _survey(folder)
    chosen = choose(found)
    names = (POLICY,) if no_keys else (POLICY, TRUST, KEYS, PASSPHRASES)
    _require_free(folder, names)
    accepted = None if no_keys else _for_trying()
    bindings = bindings_of(chosen.given(), fallback=packaged_bundle(), accepted=accepted)
    policy = starter_policy(name, bindings=bindings)
    asked = Policy.parse(policy, name=POLICY)
    if not no_keys:
        keep_others_out()
        _write_keys(folder, asked)
    write_new(folder / POLICY, policy)
    for line in _said(found, chosen, asked, folder, no_keys=no_keys):
        click.echo(clean(line) if line else "")


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which of what was found the policy binds; what has no name that says its role is left out."""

    locks: tuple[Path, ...] = ()
    requirements: tuple[Path, ...] = ()
    environments: tuple[Path, ...] = ()
    test: Path | None = None
    members: Path | None = None
    non_members: Path | None = None

    def given(self) -> Given:
        """Return it as the options of `policy new` would name it."""
        both = self.members is not None and self.non_members is not None
        return Given(
            locks=self.locks,
            requirements=self.requirements,
            test=() if self.test is None else (self.test,),
            members=(self.members,) if both and self.members else (),
            non_members=(self.non_members,) if both and self.non_members else (),
            # Its digest would be another after each install, so a policy to try with lets it be what it is.
            unbound=(InputRole.ENVIRONMENT,) if self.environments else (),
        )

    def options(self) -> Iterator[str]:
        """Yield the options with which `run` takes the same."""
        for option, paths in (
            ("--lock", self.locks),
            ("-r", self.requirements),
            ("--environment", self.environments),
            ("--data", (self.test,)),
            *((("--members", (self.members,)), ("--non-members", (self.non_members,))) if self.given().members else ()),
        ):
            yield from (f"{option} {shlex.quote(str(path))}" for path in paths if path is not None)


def _for_trying() -> Acceptance:
    """Return why old advisories count: what is tried out here ends with the trust document that comes with it."""
    return Acceptance(
        reason="to try out what `weighbridge init` wrote, with the advisories that come with weighbridge",
        owner="whoever ran `weighbridge init`",
        expires=format_instant(system_clock() + TRUSTED_FOR),
    )


def choose(found: Survey) -> Chosen:
    """Return what the policy asks for: a lock, else requirements, else an environment; examples by their names."""
    by_name: dict[str, Path] = {}
    twice: set[str] = set()
    for path in found.data:
        name = path.stem.lower().replace("_", "-")
        twice |= {name} & by_name.keys()
        by_name[name] = path
    for name in twice:  # which of two is meant is for a person to say
        del by_name[name]
    locks = found.locks[:1]
    return Chosen(
        locks=locks,
        requirements=() if locks else found.requirements,
        environments=() if locks or found.requirements else found.environments[:1],
        test=by_name.get("test"),
        members=by_name.get("members"),
        non_members=by_name.get("non-members"),
    )


def _survey(folder: Path) -> Survey:
    try:
        found = survey(folder)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"{folder} cannot be read: {reason}", remedy="name a folder that is there") from None
    if found.is_model or repository_of(folder) is not None:
        raise UsageError(
            f"{folder.absolute()} is a model itself; what is written there would change its digest, and keys would "
            "travel with it",
            remedy="call this in the folder above, or in an empty one beside it",
        )
    return found


def _require_free(folder: Path, names: tuple[str, ...]) -> None:
    for name in names:
        if os.path.lexists(folder / name):  # a link that leads nowhere is there as well
            raise UsageError(
                f"{folder / name} is there already, and was left as it is; nothing was written",
                remedy=f"move it away, or bind what is new in it with `weighbridge policy bind {folder / POLICY}`",
            )


def _write_keys(folder: Path, policy: Policy) -> None:
    keys, passphrases = folder / KEYS, folder / PASSPHRASES
    for place in (keys, passphrases):
        try:
            place.mkdir(mode=0o700)  # never one that somebody else made meanwhile
        except OSError as error:
            raise OutputError(f"{place} cannot be made: {error.strerror}", remedy="choose another folder") from None
        write_new(place / ".gitignore", _KEPT_OUT)
    found = {}
    for role in ROLES:
        found[role] = secrets.token_urlsafe(24).encode()
        write_new(passphrases / role, found[role] + b"\n", mode=0o600)
    write_pairs(found, output=keys, algorithm=KeyAlgorithm.ED25519)
    roles = {role: read_public_key(keys / f"{role}.pub") for role in ROLES}
    document = trust_edit.new_document("trial", roles=roles, expires=system_clock() + TRUSTED_FOR)
    # From the first one listed on no other policy counts, so one that asks for less gets nobody past `verify`.
    document = trust_edit.list_policy(document, name=policy.name, digest=policy.digest)
    write_new(folder / TRUST, trust_edit.dump(document))


def _said(found: Survey, chosen: Chosen, policy: Policy, folder: Path, *, no_keys: bool) -> Iterator[str]:
    for kind, paths in (
        ("model", found.models),
        ("lock", found.locks),
        ("requirements", found.requirements),
        ("environment", found.environments),
        ("data", found.data),
    ):
        yield from (f"found {kind}: {path}" for path in paths)
    if found.cut_short:
        yield "there is more in this folder than was looked at"
    asked = ", ".join(requirement.check for requirement in policy.requirements)
    yield f"{folder / POLICY}: asks for {asked}; what else it could ask for stands in it as comments"
    if chosen.environments:
        yield f"{chosen.environments[0]} is asked for, and bound by nothing: a lock says what models are served with"
    elif not (chosen.locks or chosen.requirements):
        yield from _nothing_to_audit(folder, no_keys=no_keys)
    if not no_keys:
        yield f"{folder / TRUST}, {folder / KEYS}/, {folder / PASSPHRASES}/: for trying out, {TRUSTED_FOR.days} days"
    age = "and an audit with it stays undecided" if no_keys else f"and counts here for {TRUSTED_FOR.days} days, to try"
    yield (
        f"advisories are bound to the snapshot that comes with weighbridge, which is old, {age}: `weighbridge "
        "advisories build` makes a current one, `weighbridge policy bind` binds it, `weighbridge trust policy` lists it"
    )
    yield ""
    yield "next: " + _next(found, chosen, folder, no_keys=no_keys)


def _nothing_to_audit(folder: Path, *, no_keys: bool) -> Iterator[str]:
    policy = shlex.quote(str(folder / POLICY))
    listed = "" if no_keys else f" and `weighbridge trust policy {shlex.quote(str(folder / TRUST))} {policy}`"
    yield (
        "nothing here says what models are served with. With a lock the next command does. With requirements or an "
        f"environment, first `weighbridge policy bind {policy} -r FILE` (or --environment DIRECTORY){listed}; "
        "then give the same option in place of --lock"
    )


def _next(found: Survey, chosen: Chosen, folder: Path, *, no_keys: bool) -> str:
    model = shlex.quote(str(found.models[0])) if found.models else "MODEL"
    inputs = list(chosen.options())
    if no_keys:
        return " ".join(["weighbridge run", model, *inputs])
    if not (chosen.locks or chosen.requirements or chosen.environments):
        inputs.append("--lock FILE")
    places = {
        "--policy": folder / POLICY,
        "--trust": folder / TRUST,
        "--keys": folder / KEYS,
        "--passphrase-file": folder / PASSPHRASES,
    }
    signing = [f"{option} {shlex.quote(str(path))}" for option, path in places.items()]
    return " ".join(["weighbridge run", model, *signing, *inputs])
