"""The signed verdicts that are at hand, found by the manifest digest of a model image.

An index keeps parsed bundles only. Whether a signature, a signer or a date holds is asked anew each time, so a
revocation counts as soon as it is known.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from weighbridge.errors import ParseError, WeighbridgeError
from weighbridge.evidence.bundle import read_bundle
from weighbridge.evidence.statement import Statement
from weighbridge.model.digest import ALGORITHM, Digest

MAX_VERDICT_BYTES: Final = 512 * 1024
"""Largest bundle of a verdict; a cluster keeps no larger object."""


@dataclass(frozen=True, slots=True)
class StoredVerdict:
    """One bundle and what it says that it is about; none of it is believed before the signature is verified."""

    name: str
    sha256: str
    data: bytes
    model: Digest
    manifest: str | None
    """Sha256 of the manifest of the model's image."""


@dataclass(frozen=True, slots=True)
class VerdictIndex:
    """Verdicts by name. An index never changes; ``put`` and ``drop`` return another one."""

    by_name: Mapping[str, StoredVerdict] = field(default_factory=lambda: MappingProxyType({}))
    unreadable: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(cls, files: Iterable[tuple[str, bytes]]) -> VerdictIndex:
        """Index bundles by the names that they are stored under."""
        by_name: dict[str, StoredVerdict] = {}
        unreadable: dict[str, str] = {}
        for name, data in files:
            try:
                by_name[name] = read_verdict(name, data)
            except WeighbridgeError as error:
                unreadable[name] = error.message
        return cls(MappingProxyType(by_name), MappingProxyType(unreadable))

    def put(self, name: str, data: bytes) -> VerdictIndex:
        """Return an index in which this bundle has this name. One that is no verdict is remembered as unreadable."""
        sha256 = hashlib.sha256(data).hexdigest()
        known = self.by_name.get(name)
        if known is not None and known.sha256 == sha256:
            return self
        rest, new = self.drop(name), VerdictIndex.of([(name, data)])
        return VerdictIndex(
            MappingProxyType({**rest.by_name, **new.by_name}),
            MappingProxyType({**rest.unreadable, **new.unreadable}),
        )

    def drop(self, name: str) -> VerdictIndex:
        """Return an index without this name."""
        if name not in self.by_name and name not in self.unreadable:
            return self
        return VerdictIndex(
            MappingProxyType({key: value for key, value in self.by_name.items() if key != name}),
            MappingProxyType({key: value for key, value in self.unreadable.items() if key != name}),
        )

    def about(self, manifest: str) -> tuple[StoredVerdict, ...]:
        """Return the verdicts that say they are about the image with this manifest sha256."""
        return tuple(stored for stored in self.by_name.values() if stored.manifest == manifest)


def read_verdict(name: str, data: bytes) -> StoredVerdict:
    """Read what a bundle says that it is about, without verifying anything.

    Raises:
        ParseError: When it is no bundle of a statement about exactly one model.
        VerificationError: When it names several images.
    """
    if len(data) > MAX_VERDICT_BYTES:
        raise ParseError(f"the verdict {name} has {len(data)} bytes; at most {MAX_VERDICT_BYTES} are read")
    statement = Statement.parse(read_bundle(data, what=name).content(), what=f"the statement in {name}")
    models = {subject.digest[ALGORITHM] for subject in statement.subject if ALGORITHM in subject.digest}
    if len(models) != 1:
        raise ParseError(f"{name} is about {len(models)} models; exactly one is accepted")
    image = statement.manifest()
    return StoredVerdict(
        name=name,
        sha256=hashlib.sha256(data).hexdigest(),
        data=data,
        model=Digest.parse(f"{ALGORITHM}:{models.pop()}"),
        manifest=None if image is None else image.hex,
    )
