"""Turn files that a person names into what a policy binds: their digests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from weighbridge._files import read_limited
from weighbridge.checks.data.kinds import HEAD, Kind, kind_of, require_table
from weighbridge.checks.data.source import bytes_to_bind as data_bytes_to_bind
from weighbridge.checks.dependencies.info import describe_bundle
from weighbridge.checks.dependencies.sources.environment import read_environment
from weighbridge.checks.dependencies.sources.requirement_tree import bytes_to_bind
from weighbridge.errors import UsageError
from weighbridge.evidence.inputs import MAX_INPUT_BYTES, OF_ONE_MODEL, SIGNABLE
from weighbridge.evidence.measurements import InputRole
from weighbridge.policy import AdvisoriesBinding, Binding, DataBinding, FileBinding
from weighbridge.policy.edit import NewBinding
from weighbridge.policy.inputs import Acceptance
from weighbridge.report._text import clean

ANY_AGE = "520w"
"""How old advisories may be when somebody answers for old ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the options name."""

    test: tuple[Path, ...] = ()
    members: tuple[Path, ...] = ()
    non_members: tuple[Path, ...] = ()
    requirements: tuple[Path, ...] = ()
    locks: tuple[Path, ...] = ()
    environments: tuple[Path, ...] = ()
    advisories: tuple[Path, ...] = ()
    signed: tuple[str, ...] = ()
    unbound: tuple[str, ...] = ()
    about: str | None = None

    def files(self) -> Iterator[tuple[InputRole, tuple[Path, ...]]]:
        """Yield the files of each role that has any."""
        for role, paths in (
            (InputRole.TEST, self.test),
            (InputRole.MEMBERS, self.members),
            (InputRole.NON_MEMBERS, self.non_members),
            (InputRole.REQUIREMENTS, self.requirements),
            (InputRole.LOCK, self.locks),
            (InputRole.ENVIRONMENT, self.environments),
            (InputRole.ADVISORIES, self.advisories),
        ):
            if paths:
                yield role, paths


def bindings_of(given: Given, *, fallback: Path | None, accepted: Acceptance | None) -> dict[InputRole, NewBinding]:
    """Return what binds each role that was named; ``fallback`` is bound as advisories when none are named.

    Raises:
        InputError: When a file cannot be read.
        UsageError: When a role is named in two ways, or a signer is not written as ``ROLE=SIGNER``.
    """
    found: dict[InputRole, NewBinding] = {}
    for role, paths in given.files():
        found[role] = _by_digest(role, paths, accepted)
    for role, binding in (
        *_signed(given.signed, given.about),
        *((InputRole(role), "unbound") for role in given.unbound),
    ):
        if role in found:
            raise UsageError(f"the role {role} is named twice", remedy="bind each role in one way")
        found[role] = NewBinding(binding)
    if fallback is not None and InputRole.ADVISORIES not in found:
        found[InputRole.ADVISORIES] = _by_digest(InputRole.ADVISORIES, (fallback,), accepted)
    return found


def _by_digest(role: InputRole, paths: tuple[Path, ...], accepted: Acceptance | None) -> NewBinding:
    digests = tuple(dict.fromkeys(digest for path in paths for digest in _digests(role, path)))
    comment = clean(", ".join(path.name for path in paths))
    return NewBinding(_typed(role, FileBinding(sha256=digests), accepted), comment)


def _digests(role: InputRole, path: Path) -> Iterator[str]:
    if role is InputRole.ENVIRONMENT:
        yield from (each.sha256 for each in read_environment(path).inputs)
        return
    yield hashlib.sha256(input_bytes(role, path)).hexdigest()


def input_bytes(role: InputRole, path: Path) -> bytes:
    """Return the bytes of a file whose sha256 binds it in a role, and which are signed.

    Raises:
        InputError: When it, or a file that requirements include, cannot be read.
    """
    if role is InputRole.REQUIREMENTS:
        return bytes_to_bind(path)
    if role in _DATA:
        return _data_bytes(path)
    data = read_limited(path, limit=MAX_INPUT_BYTES, what="the input")
    if role is InputRole.ADVISORIES:
        # What no audit could use is neither bound nor signed.
        describe_bundle(data, name=path.name)
    return data


def _data_bytes(path: Path) -> bytes:
    data = data_bytes_to_bind(path)
    # What no check could read is neither bound nor signed.
    if not path.is_dir() and kind_of(data[:HEAD], name=str(path)) is Kind.CSV:
        require_table(data, name=str(path))
    return data


_DATA: Final = frozenset({InputRole.TEST, InputRole.MEMBERS, InputRole.NON_MEMBERS})


def _signed(texts: tuple[str, ...], about: str | None) -> Iterator[tuple[InputRole, Binding]]:
    signers: dict[InputRole, tuple[str, ...]] = {}
    for text in texts:
        name, separator, signer = text.partition("=")
        if not separator or not signer or name not in list(InputRole):
            raise UsageError(
                f"--signed {text} is not ROLE=SIGNER; roles are {', '.join(InputRole)}",
                remedy="write it like --signed test=curator",
            )
        role = InputRole(name)
        signers[role] = (*signers.get(role, ()), signer)
    for role, names in signers.items():
        if role not in SIGNABLE:
            raise UsageError(
                f"an input of the role {role} is no file, so nobody can sign it", remedy=f"bind it with --{role} PATH"
            )
        named = about if role in OF_ONE_MODEL else None
        if role in OF_ONE_MODEL and named is None:
            raise UsageError(
                f"an input of the role {role} belongs to one line of models, and none is named",
                remedy="give --about NAME, as `weighbridge sign-input` had it",
            )
        yield role, _typed(role, FileBinding(signers=names, about=named), None)


def _typed(role: InputRole, binding: FileBinding, accepted: Acceptance | None) -> Binding:
    match role:
        case InputRole.TEST | InputRole.MEMBERS | InputRole.NON_MEMBERS:
            return DataBinding(sha256=binding.sha256, signers=binding.signers, about=binding.about)
        case InputRole.ADVISORIES:
            age = None if accepted is None else ANY_AGE
            return AdvisoriesBinding(sha256=binding.sha256, signers=binding.signers, max_age=age, accepted=accepted)
        case _:
            return binding
