"""in-toto Statement v1: what is said, about which model.

Specification: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
"""

from __future__ import annotations

import hashlib
import os
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from weighbridge import _json
from weighbridge._struct import Wire
from weighbridge.errors import ParseError, VerificationError
from weighbridge.model.digest import ALGORITHM, Digest, ManifestDigest

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
"""The one type of statement."""

NOT_MOVED: Final = "run the check on this model; evidence cannot be moved"
"""What to do about evidence of another model."""

MANIFEST_ALGORITHM: Final = "sha256"
"""The name of a manifest digest in a DigestSet."""

MAX_SUBJECTS: Final = 64
"""Most subjects that a statement may have."""


class Subject(Wire, omit_defaults=True):
    """One thing that a statement is about, by digests."""

    digest: dict[str, Annotated[str, Meta(max_length=256)]]
    name: Annotated[str, Meta(max_length=1024)] = ""


class Statement(Wire):
    """A predicate about subjects. ``predicate`` is plain JSON until its type is known."""

    type: Annotated[str, Meta(max_length=256)] = msgspec.field(name="_type")
    subject: Annotated[tuple[Subject, ...], Meta(min_length=1, max_length=MAX_SUBJECTS)]
    predicate_type: Annotated[str, Meta(max_length=256)]
    predicate: dict[str, object]

    @classmethod
    def about(
        cls,
        model: Digest,
        *,
        name: str,
        predicate_type: str,
        predicate: Wire | dict[str, object],
        manifest: ManifestDigest | None = None,
    ) -> Statement:
        """Make a statement about one model, and about its image by manifest digest when that is known too."""
        # The name is for people. On disk it need not be UTF-8, and in another locale it is read as something else.
        name = os.fsencode(name).decode(errors="backslashreplace")
        plain = msgspec.to_builtins(predicate)
        subjects = [Subject(name=name, digest={ALGORITHM: model.hex})]
        if manifest is not None:
            subjects.append(Subject(name=name, digest={MANIFEST_ALGORITHM: manifest.hex}))
        return cls(type=STATEMENT_TYPE, subject=tuple(subjects), predicate_type=predicate_type, predicate=plain)

    @classmethod
    def parse(cls, data: bytes, *, what: str) -> Statement:
        """Read a statement strictly.

        Raises:
            ParseError: For anything that is not a Statement v1 without unknown fields.
        """
        statement = _json.parse(data, cls, what=what)
        if statement.type != STATEMENT_TYPE:
            raise ParseError(f"{what} has the type {statement.type!r}; expected {STATEMENT_TYPE!r}")
        return statement

    def encode(self) -> bytes:
        """Return the bytes to sign; the same statement gives the same bytes."""
        return _json.dumps(self)

    @property
    def sha256(self) -> str:
        """Return the sha256 of these bytes in hex: what names this statement in whatever bundle it lies."""
        return hashlib.sha256(self.encode()).hexdigest()

    def require_subject(self, model: Digest, *, what: str = "it", remedy: str = NOT_MOVED) -> None:
        """Return when the statement is about this model and no other.

        A statement that names a second model beside the right one is refused: it would be true of neither alone. One
        more subject, by sha256 alone, is the same model's image.

        Raises:
            VerificationError: Otherwise.
        """
        images = [subject for subject in self.subject if set(subject.digest) == {MANIFEST_ALGORITHM}]
        found = {subject.digest.get(ALGORITHM) for subject in self.subject if subject not in images}
        if found == {model.hex} and len(images) <= 1:
            return
        if model.hex in found:
            raise VerificationError(
                f"{what} names {model} and other subjects beside it", remedy="make one statement for each model"
            )
        named = ", ".join(sorted(f"{ALGORITHM}:{value}" for value in found if value)) or "no model digest"
        raise VerificationError(f"{what} is about {named}, not about {model}", remedy=remedy)

    def manifest(self) -> ManifestDigest | None:
        """Return the manifest digest of the model's image, when the statement is about that too.

        Raises:
            ParseError: When it is none.
            VerificationError: When there are several.
        """
        images = [subject.digest for subject in self.subject if set(subject.digest) == {MANIFEST_ALGORITHM}]
        if len(images) > 1:
            raise VerificationError("the statement names several images", remedy="make one statement for each model")
        return ManifestDigest(images[0][MANIFEST_ALGORITHM]) if images else None
