"""Signed inputs: somebody answers for a data set, a lock or a bundle of advisories, before any model is judged by it.

The statement names the input by sha256 and says which role it may have. It travels with the evidence. Of test data and
advisories it is as true for the next model; of members or a lock it is true of one line of models, which it names.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta

from weighbridge import _json
from weighbridge._files import read_limited
from weighbridge._struct import LABEL, Label, Wire
from weighbridge.clock import format_instant
from weighbridge.errors import InputError, OutputError, ParseError, UsageError
from weighbridge.evidence.bundle import MAX_BUNDLE_BYTES, SUFFIX, read_bundle, write_bundle
from weighbridge.evidence.keys import PublicKey, Signer
from weighbridge.evidence.measurements import Count, InputRole, Sha256
from weighbridge.evidence.statement import STATEMENT_TYPE, Statement, Subject

INPUT: Final = "https://weighbridge.dev/input/v1"
"""Predicate type of a signed input."""

MAX_INPUT_BYTES: Final = 1024**3
"""Largest input that can be signed; no check reads a larger one."""

MAX_SIGNATURES: Final = 256
"""Most signed inputs that one step takes."""

SIGNABLE: Final = tuple(role for role in InputRole if role is not InputRole.ENVIRONMENT)
"""Roles whose inputs are files. An installed environment is bound by digest."""


OF_ONE_MODEL: Final = frozenset({InputRole.MEMBERS, InputRole.NON_MEMBERS, InputRole.LOCK, InputRole.REQUIREMENTS})
"""Roles whose inputs belong to one line of models; a signature over them has to name it."""


class InputPredicate(Wire, omit_defaults=True):
    """What is said of an input: its role, its size in bytes, when it was signed, and for which line of models.

    Without ``about`` it is said for all of them.
    """

    role: InputRole
    size: Count
    signed: Annotated[str, Meta(max_length=40)]
    about: Label | None = None


@dataclass(frozen=True, slots=True)
class SignedInput:
    """An input that a trusted key signed, and the roles in the trust document in which the key may sign it."""

    file: str
    role: InputRole
    sha256: str
    signed: datetime
    key: PublicKey
    signers: tuple[str, ...]
    about: str | None = None


def signature_path(path: Path, *, role: InputRole | None = None) -> Path:
    """Return where the signature of an input lies: beside it; with ``role``, where a second one for that role does."""
    return path.with_name(path.name + ("" if role is None else f".{role}") + SUFFIX)


def signature_places(path: Path) -> tuple[Path, ...]:
    """Return every place in which a signature of an input may lie beside it."""
    if not path.name:
        return ()
    return (signature_path(path), *(signature_path(path, role=role) for role in SIGNABLE))


def free_place(path: Path, *, role: InputRole) -> Path:
    """Return where a new signature of an input goes: one file may be signed in several roles.

    Raises:
        OutputError: When it is signed in this role already, or something else lies there.
    """
    place = signature_path(path)
    if not _is_there(place):
        return place
    data = read_limited(place, limit=MAX_BUNDLE_BYTES, what="the signature of an input")
    if not is_signed_input(data, what=place.name) or _role_of(data, what=place.name) is role:
        raise OutputError(
            f"{place} is there already, maybe over older bytes of {path.name}; it was left as it is",
            remedy="remove it to sign the file as it is now, or give another place with -o",
        )
    return signature_path(path, role=role)


def _role_of(data: bytes, *, what: str) -> InputRole:
    statement = Statement.parse(read_bundle(data, what=what).content(), what=what)
    return read_input_statement(statement, what=what)[1].role


def sign_input(
    data: bytes, *, name: str, role: InputRole, signer: Signer, now: datetime, about: str | None = None
) -> bytes:
    """Sign an input for one role, for one line of models or all, and return the bundle's bytes.

    Raises:
        UsageError: For a role whose inputs are not files, and for a line of models that is missing, needless or
            called as no policy can call it.
    """
    if role not in SIGNABLE:
        raise UsageError(
            f"an input of the role {role} is no file that can be signed",
            remedy="bind it by digest, with `weighbridge policy bind`",
        )
    _require_about(role, about)
    statement = Statement(
        type=STATEMENT_TYPE,
        subject=(Subject(name=name, digest={"sha256": hashlib.sha256(data).hexdigest()}),),
        predicate_type=INPUT,
        predicate=_json.plain(InputPredicate(role=role, size=len(data), signed=format_instant(now), about=about)),
    )
    return write_bundle(statement.encode(), signer=signer)


def _require_about(role: InputRole, about: str | None) -> None:
    if role in OF_ONE_MODEL and about is None:
        raise UsageError(
            f"an input of the role {role} belongs to one line of models, and none is named",
            remedy="give --about NAME, the name that policies for these models have as `about`",
        )
    if role not in OF_ONE_MODEL and about is not None:
        raise UsageError(
            f"an input of the role {role} is true of every line of models, and {about!r} is named",
            remedy="leave --about out",
        )
    if about is not None and re.fullmatch(LABEL, about) is None:
        raise UsageError(
            f"{about!r} is no name that a policy could have as `about`",
            remedy="use up to 63 lower-case letters, digits, dots and dashes, such as digits-v2",
        )


def read_input_statement(statement: Statement, *, what: str) -> tuple[str, InputPredicate]:
    """Return the sha256 of the input that a statement signs, and what it says of it.

    Raises:
        ParseError: When it names anything but one sha256, or is not what its type says.
    """
    predicate = _json.convert(statement.predicate, InputPredicate, what=f"the predicate in {what}")
    digests = [dict(subject.digest) for subject in statement.subject]
    if len(digests) != 1 or set(digests[0]) != {"sha256"}:
        raise ParseError(f"{what} signs {len(digests)} inputs; expected one, by sha256 alone")
    return _json.convert(digests[0]["sha256"], Sha256, what=f"the digest in {what}"), predicate


def signatures_beside(paths: Iterable[Path]) -> list[bytes]:
    """Return the bundles that lie beside these inputs, so that they can travel with the evidence; nothing is believed.

    Raises:
        InputError: When a file is there that is no signed input.
    """
    found = []
    for path in dict.fromkeys(paths):
        for beside in filter(_is_there, signature_places(path)):
            data = read_limited(beside, limit=MAX_BUNDLE_BYTES, what="the signature of an input")
            if not is_signed_input(data, what=beside.name):
                raise InputError(
                    f"{beside} signs no input", remedy="sign it with `weighbridge sign-input`, or remove it"
                )
            found.append(data)
    return found


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        # The name leaves no room for the ending, so there is none.
        return False


def read_signatures(path: Path) -> list[bytes]:
    """Return the signed inputs in a file or in a directory; nothing is believed.

    Raises:
        InputError: When something there is no signed input, or cannot be read.
    """
    # Of a mounted ConfigMap or Secret, names that begin with two dots are Kubernetes' own.
    files = sorted(each for each in path.iterdir() if not each.name.startswith("..")) if path.is_dir() else [path]
    if len(files) > MAX_SIGNATURES:
        raise InputError(f"{path} holds {len(files)} files; at most {MAX_SIGNATURES} signed inputs are read")
    found = []
    for file in files:
        data = read_limited(file, limit=MAX_BUNDLE_BYTES, what="the signature of an input")
        if not is_signed_input(data, what=file.name):
            raise InputError(f"{file} signs no input", remedy="sign it with `weighbridge sign-input`, or remove it")
        found.append(data)
    return found


def is_signed_input(data: bytes, *, what: str) -> bool:
    """Say whether a bundle is a statement about an input; who signed it is not asked.

    Raises:
        ParseError: When it is no bundle at all.
    """
    statement = Statement.parse(read_bundle(data, what=what).content(), what=f"the statement in {what}")
    return statement.predicate_type == INPUT
