"""The custom resources of a cluster as the documents that they are: verdicts, policies and trust."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from weighbridge import _json, _yaml
from weighbridge._struct import Wire
from weighbridge.admission.verdicts import MAX_VERDICT_BYTES, read_verdict
from weighbridge.errors import ParseError
from weighbridge.policy import Policy
from weighbridge.trust import Trust

API_VERSION: Final = "weighbridge.dev/v1alpha1"
"""Version of every custom resource."""


class VerdictSpec(Wire):
    """The body of a ModelVerdict: the Sigstore bundle that the gate wrote, as JSON text."""

    bundle: Annotated[str, Meta(min_length=2, max_length=MAX_VERDICT_BYTES)]


class ObjectName(Wire):
    """The name of an object that is to be created."""

    name: Annotated[str, Meta(max_length=253)]


class ModelVerdict(Wire, kw_only=True):
    """The signed verdict about one model, as an object of a cluster."""

    api_version: Literal["weighbridge.dev/v1alpha1"] = "weighbridge.dev/v1alpha1"
    kind: Literal["ModelVerdict"] = "ModelVerdict"
    metadata: ObjectName
    spec: VerdictSpec

    @classmethod
    def of(cls, bundle: bytes) -> ModelVerdict:
        """Make the object of a verdict. Its name comes from the model's digest and the bundle's bytes.

        Raises:
            ParseError: When the bytes are no verdict about one model.
        """
        stored = read_verdict("the verdict", bundle)
        name = f"sha256-{stored.model.hex[:40]}-{stored.sha256[:8]}"
        return cls(metadata=ObjectName(name=name), spec=VerdictSpec(bundle=bundle.decode()))

    def encode(self) -> bytes:
        """Return the object as JSON, which is YAML too, for ``kubectl apply -f``."""
        return _json.dumps_pretty(self).encode() + b"\n"


def verdict_of(value: object) -> tuple[str, bytes]:
    """Return name and bundle of a ModelVerdict as an API server or a file gives it.

    Raises:
        ParseError: When it is something else. What the bundle holds is not looked at.
    """
    plain = plain_object(value, kind="ModelVerdict")
    found = _json.convert(plain, ModelVerdict, what=f"the ModelVerdict {name_of(value)}")
    return found.metadata.name, found.spec.bundle.encode()


def read_model_verdicts(data: bytes, *, name: str) -> list[tuple[str, bytes]]:
    """Return name and bundle of every ModelVerdict in a file.

    Raises:
        ParseError: When it holds none, or anything else.
    """
    documents = _yaml.load_manifests(data, name=name)
    if not documents:
        raise ParseError(f"{name} is empty", remedy="give the file that `weighbridge push --model-verdict` wrote")
    return [verdict_of(document.value) for document in documents]


def policy_of(value: object) -> Policy:
    """Return the policy of a ModelPolicy as an API server gives it.

    Its digest is that of the file that it was applied from, whatever the API server made of its text.

    Raises:
        ParseError: When it is something else.
        PolicyError: When it requires nothing, or the same twice.
    """
    plain = _decimal(plain_object(value, kind="ModelPolicy"))
    return Policy.parse(msgspec.json.encode(plain, order="sorted"), name=f"the ModelPolicy {name_of(value)}")


def _decimal(value: object) -> object:
    # Small numbers come as 1e-06, which is text in the policies that people write.
    match value:
        case dict():
            return {key: _decimal(item) for key, item in value.items()}
        case list():
            return [_decimal(item) for item in value]
        case float() if math.isfinite(value):
            return msgspec.Raw(format(Decimal(repr(value)), "f").encode())
        case _:
            return value


def trust_of(value: object) -> Trust:
    """Return the trust document of a ModelTrust as an API server gives it.

    Raises:
        ParseError: When it is something else.
        TrustError: When it contradicts itself.
    """
    return Trust.parse(_json.dumps(plain_object(value, kind="ModelTrust")), name=f"the ModelTrust {name_of(value)}")


def plain_object(value: object, *, kind: str) -> dict[str, object]:
    """Return an object without its status and without what the API server adds to its metadata.

    Raises:
        ParseError: When it is not an object of this kind.
    """
    if not isinstance(value, dict) or value.get("apiVersion") != API_VERSION or value.get("kind") != kind:
        found = value.get("kind") if isinstance(value, dict) else None
        raise ParseError(f"this is {found or 'no object'}, expected {kind} of {API_VERSION}")
    rest = {key: item for key, item in value.items() if key not in ("metadata", "status")}
    return {**rest, "metadata": {"name": name_of(value)}}


def name_of(value: object) -> str:
    """Return the name of an object; empty when it has none."""
    metadata = value.get("metadata") if isinstance(value, dict) else None
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else ""
