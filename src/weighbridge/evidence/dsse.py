"""Dead Simple Signing Envelope, version 1.0, with exactly one signature.

Specification: https://github.com/secure-systems-lab/dsse
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Final

from msgspec import Meta

from weighbridge._struct import Wire
from weighbridge.errors import ParseError, VerificationError
from weighbridge.evidence.keys import PublicKey, Signer

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
"""The only payload that is accepted."""


class Signature(Wire, omit_defaults=True):
    """One signature; ``keyid`` is a hint and never trusted."""

    sig: str
    keyid: Annotated[str, Meta(max_length=256)] = ""


class Envelope(Wire):
    """A payload, its type and the signatures over both."""

    payload: str
    payload_type: Annotated[str, Meta(max_length=256)]
    signatures: tuple[Signature, ...]

    def content(self) -> bytes:
        """Return the payload's bytes.

        Raises:
            ParseError: For another payload type, other than one signature, or base64 that is not canonical.
        """
        if self.payload_type != PAYLOAD_TYPE:
            raise ParseError(f"the payload type is {self.payload_type!r}; expected {PAYLOAD_TYPE!r}")
        if len(self.signatures) != 1:
            raise ParseError(f"the envelope has {len(self.signatures)} signatures; exactly one is accepted")
        return decode_base64(self.payload, what="the payload")


def sign_envelope(payload: bytes, *, signer: Signer) -> Envelope:
    """Sign an in-toto statement's bytes."""
    signature = signer.sign(pre_authentication_encoding(PAYLOAD_TYPE, payload))
    return Envelope(
        payload=base64.b64encode(payload).decode(),
        payload_type=PAYLOAD_TYPE,
        signatures=(Signature(sig=base64.b64encode(signature).decode(), keyid=signer.public.id),),
    )


def verify_envelope(envelope: Envelope, *, keys: tuple[PublicKey, ...]) -> PublicKey:
    """Return the one of the keys that signed the envelope.

    Every key is tried, since the envelope's own ``keyid`` proves nothing.

    Raises:
        ParseError: When the envelope is not one that is accepted.
        VerificationError: When none of the keys signed it.
    """
    payload = envelope.content()
    signature = decode_base64(envelope.signatures[0].sig, what="the signature")
    message = pre_authentication_encoding(envelope.payload_type, payload)
    for key in keys:
        if key.verifies(signature, message):
            return key
    claimed = envelope.signatures[0].keyid
    if any(key.id == claimed for key in keys):
        raise VerificationError(
            f"the signature does not match: it names the key {claimed}, which did not sign these bytes",
            remedy="the file was changed after signing; produce it again",
        )
    raise VerificationError(
        f"no trusted key signed it (it names {claimed or 'no key'})",
        remedy="add the signer's key to the trust document, or sign with a trusted key",
    )


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """Return the bytes that are signed: PAE of DSSE 1.0."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def decode_base64(text: str, *, what: str) -> bytes:
    """Decode standard base64, accepting exactly the text that encoding gives back.

    Raises:
        ParseError: For line breaks, the URL alphabet, missing padding or stray bits.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ParseError(f"{what} is not base64") from None
    if base64.b64encode(data).decode() != text:
        raise ParseError(f"{what} is not canonical base64")
    return data
