"""What binds the inputs of a check: a digest, a role that signed them, or, weakly, whoever asked for a review.

Whoever is judged often writes the call that judges. An attack on examples that he made, an audit against advisories
that he wrote, say nothing, so an input that nothing binds does not satisfy a requirement unless the policy says
``unbound`` for its role.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from weighbridge._struct import Label, Wire
from weighbridge.evidence.measurements import InputRole, Sha256
from weighbridge.policy.limits import Span

MAX_DIGESTS: Final = 1_024
"""Most digests that one role may name."""

UNBOUND: Final = "unbound"
"""What a policy says of a role for which any input will do."""

Digests = Annotated[tuple[Sha256, ...], Meta(max_length=MAX_DIGESTS)]
Signers = Annotated[tuple[Label, ...], Meta(max_length=64)]


class FileBinding(Wire, omit_defaults=True):
    """Exactly one of: digests, roles that signed the input, or the requester who supplied it in a review.

    What members, non-members, a lock or requirements say is true of one line of models only, so a signature over them
    names that line, and ``about`` says which the policy is for. Test data and advisories are true for all.
    """

    sha256: Digests = ()
    signers: Signers = ()
    supplied_by: Literal["requester"] | None = None
    about: Label | None = None

    @property
    def ways(self) -> int:
        """Return how many of the three ways it names; one is right."""
        return bool(self.sha256) + bool(self.signers) + (self.supplied_by is not None)


class DataBinding(FileBinding, omit_defaults=True):
    """A data set: what binds it, and how much it must hold.

    ``distinct`` counts examples that differ from each other; ``bounds`` are what the file must say of its values,
    or the caller in its place; ``label`` is the column of labels, by name or position.
    """

    min_examples: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    distinct: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    bounds: tuple[float, float] | None = None
    label: Annotated[str, Meta(min_length=1, max_length=256)] | None = None


class Acceptance(Wire):
    """Who answers for a limit that hardly anything can fail, why, and until when."""

    reason: Annotated[str, Meta(min_length=1, max_length=1024)]
    owner: Annotated[str, Meta(min_length=1, max_length=256)]
    expires: str


class AdvisoriesBinding(FileBinding, omit_defaults=True):
    """Advisories: what binds the bundle, which sources it must have, how many records, and how old it may be."""

    sources: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=64)], ...], Meta(max_length=64)] = ()
    at_least: Annotated[int, Meta(ge=1, le=2_000_000)] | None = None
    max_age: Span | None = None
    accepted: Acceptance | None = None


Unbound = Literal["unbound"]


class InputsSpec(Wire, omit_defaults=True):
    """What binds each role of input. A role that is left out is bound by nothing, and its inputs do not count."""

    test: DataBinding | Unbound | None = None
    members: DataBinding | Unbound | None = None
    non_members: DataBinding | Unbound | None = None
    requirements: FileBinding | Unbound | None = None
    lock: FileBinding | Unbound | None = None
    environment: FileBinding | Unbound | None = None
    advisories: AdvisoriesBinding | Unbound | None = None


Binding = FileBinding | Unbound | None

AUDITED: Final = (InputRole.REQUIREMENTS, InputRole.LOCK, InputRole.ENVIRONMENT)
"""Roles of what is audited. Each that a policy names must have been given."""


def binding_of(inputs: InputsSpec, role: InputRole) -> Binding:
    """Return what binds a role; None where the policy says nothing of it."""
    found: Binding = getattr(inputs, _ATTRIBUTES[role])
    return found


def named_roles(inputs: InputsSpec) -> Iterator[tuple[InputRole, FileBinding | Unbound]]:
    """Yield every role of which the policy says something."""
    for role in InputRole:
        found = binding_of(inputs, role)
        if found is not None:
            yield role, found


_ATTRIBUTES: Final = {
    role: next(field.name for field in msgspec.structs.fields(InputsSpec) if field.encode_name == role.value)
    for role in InputRole
}
