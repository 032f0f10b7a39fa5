"""Sigstore bundles, version 0.3, with a public key; and bare DSSE envelopes, which are read as well.

Specification: sigstore/protobuf-specs, ``sigstore_bundle.proto``. A file is a bundle (``*.sigstore.json``) or one
envelope on one line (``*.intoto.jsonl``); the content decides which.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from weighbridge import _json
from weighbridge._struct import Wire
from weighbridge.errors import OutputError, ParseError
from weighbridge.evidence.dsse import Envelope, sign_envelope
from weighbridge.evidence.keys import Signer

MEDIA_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
"""Media type of the bundles that we write."""

MEDIA_TYPES: Final = frozenset({MEDIA_TYPE, "application/vnd.dev.sigstore.bundle+json;version=0.3"})
"""Media types that we read: the two spellings of version 0.3."""

MAX_BUNDLE_BYTES: Final = 32 * 1024 * 1024
"""Largest bundle that is read."""

SUFFIX: Final = ".sigstore.json"
"""How the file name of a bundle ends."""


class PublicKeyHint(Wire, omit_defaults=True):
    """Which key the signer says it used; never trusted."""

    hint: str = ""


class VerificationMaterial(Wire, omit_defaults=True):
    """Key hint, and transparency-log entries and timestamps of other writers, which are carried but not used."""

    public_key: PublicKeyHint | None = None
    certificate: dict[str, object] | None = None
    x509_certificate_chain: dict[str, object] | None = None
    tlog_entries: tuple[dict[str, object], ...] = ()
    timestamp_verification_data: dict[str, object] | None = None


class Bundle(Wire):
    """One signed statement as a file."""

    media_type: Annotated[str, Meta(max_length=256)]
    verification_material: VerificationMaterial
    dsse_envelope: Envelope


def write_bundle(payload: bytes, *, signer: Signer) -> bytes:
    """Sign a statement's bytes and return the bundle's bytes.

    Raises:
        OutputError: When the bundle would be larger than ``MAX_BUNDLE_BYTES``, which nobody would read.
    """
    data = _json.dumps(
        Bundle(
            media_type=MEDIA_TYPE,
            verification_material=VerificationMaterial(public_key=PublicKeyHint(hint=signer.public.id)),
            dsse_envelope=sign_envelope(payload, signer=signer),
        )
    )
    if len(data) > MAX_BUNDLE_BYTES:
        raise OutputError(
            f"the signed statement has {len(data)} bytes, and at most {MAX_BUNDLE_BYTES} are read; nothing was written",
            remedy="give a model with fewer files: pack those that belong together into one",
        )
    return data


def read_bundle(data: bytes, *, what: str) -> Envelope:
    """Parse a bundle or a bare envelope strictly, without verifying anything.

    Raises:
        ParseError: For anything else: unknown fields, another version, a certificate in place of a key.
    """
    try:
        value = _json.loads(data, what=what, max_bytes=MAX_BUNDLE_BYTES)
    except ParseError as error:
        raise ParseError(error.message, remedy=f"give a file that weighbridge signed (*{SUFFIX})") from None
    if isinstance(value, dict) and "payloadType" in value:
        return _json.convert(value, Envelope, what=what)
    bundle = _json.convert(value, Bundle, what=what)
    if bundle.media_type not in MEDIA_TYPES:
        raise ParseError(f"{what} has the media type {bundle.media_type!r}; expected {MEDIA_TYPE!r}")
    material = bundle.verification_material
    if material.certificate is not None or material.x509_certificate_chain is not None:
        raise ParseError(
            f"{what} is signed with a certificate; only keys of the trust document are accepted",
            remedy="sign with a key that the trust document lists",
        )
    return bundle.dsse_envelope
