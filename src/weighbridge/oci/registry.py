"""One repository of a registry: blobs, manifests and referrers, through the client library ``oras``.

The library brings connections, redirects, tokens and the credentials of docker's configuration. Two of its habits do
not fit: it asks five times with growing pauses, two minutes in all, before it says that a host does not exist; and it
has no timeout. Nothing that a registry answers is believed before it is compared with a digest or a size.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from enum import Enum
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit

from weighbridge.errors import RegistryError, UsageError
from weighbridge.model.digest import ManifestDigest
from weighbridge.oci.image import MANIFEST_TYPE
from weighbridge.oci.reference import Reference

if TYPE_CHECKING:
    from requests import Response

INDEX_TYPE: Final = "application/vnd.oci.image.index.v1+json"

MAX_MANIFEST_BYTES: Final = 4 * 1024 * 1024
"""Most bytes of a manifest or index that are read; registries have the same limit."""

_FOUND, _MISSING = 200, 404

CHUNK: Final = 1024 * 1024
"""Bytes that are received at a time."""


class Transport(Enum):
    """How a registry is reached."""

    TLS = "https"
    PLAIN = "http"


class Body:
    """Bytes that are made again whenever they have to be sent, so that nothing is kept in memory."""

    def __init__(self, size: int, chunks: Callable[[], Iterator[bytes | memoryview]]) -> None:
        self._size = size
        self._chunks = chunks

    @classmethod
    def of(cls, data: bytes) -> Body:
        """Take bytes that are in memory anyway."""
        return cls(len(data), lambda: iter([data]))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes | memoryview]:
        return self._chunks()


class Registry:
    """The repository that a reference names."""

    def __init__(self, reference: Reference, *, transport: Transport = Transport.TLS) -> None:
        """Prepare; nothing is sent before the first question.

        Raises:
            UsageError: When the client library is not installed.
        """
        self.reference = reference
        self._base = f"{transport.value}://{reference.host}/v2/{reference.name}"
        self._client = _client(reference, transport)

    def has_blob(self, sha256: str) -> bool:
        """Tell whether the registry says that it has a blob."""
        answer = self._ask("HEAD", f"{self._base}/blobs/sha256:{sha256}", accept=(_FOUND, _MISSING))
        return bool(answer.status_code == _FOUND)

    def put_blob(self, sha256: str, body: Body) -> None:
        """Send a blob, unless it is there; the registry compares it with its digest.

        Raises:
            RegistryError: When the registry does not take it.
        """
        if self.has_blob(sha256):
            return
        started = self._ask("POST", f"{self._base}/blobs/uploads/", accept=(202,))
        place = self._same_origin(started.headers.get("Location", ""))
        place += ("&" if urlsplit(place).query else "?") + f"digest=sha256:{sha256}"
        self._ask("PUT", place, accept=(201,), body=body, headers={"Content-Type": "application/octet-stream"})

    def get_blob(self, sha256: str, *, size: int) -> Iterator[bytes]:
        """Yield a blob's bytes; after the last one, size and digest are as asked.

        Raises:
            RegistryError: When they are not. What was yielded until then must be thrown away.
        """
        answer = self._ask("GET", f"{self._base}/blobs/sha256:{sha256}", accept=(_FOUND,), stream=True)
        checksum, count = hashlib.sha256(), 0
        for chunk in self._receive(answer):
            count += len(chunk)
            if count > size:
                break
            checksum.update(chunk)
            yield chunk
        if count != size or checksum.hexdigest() != sha256:
            raise RegistryError(
                f"the registry sent other bytes than sha256:{sha256}",
                remedy="do not use them; the registry's storage was changed or is damaged: push the model again",
            )

    def put_manifest(self, data: bytes, *, media_type: str = MANIFEST_TYPE, name: str = "") -> bool:
        """Store a manifest by its digest, or under a tag; tell whether the registry keeps its subject's referrers.

        Raises:
            RegistryError: When the registry does not take it.
        """
        name = name or f"sha256:{hashlib.sha256(data).hexdigest()}"
        body = Body.of(data)
        address = f"{self._base}/manifests/{name}"
        answer = self._ask("PUT", address, accept=(201,), body=body, headers={"Content-Type": media_type})
        return "OCI-Subject" in answer.headers

    def get_manifest(self, digest: ManifestDigest, *, media_type: str = MANIFEST_TYPE) -> bytes:
        """Return the manifest that has this digest.

        Raises:
            RegistryError: When there is none, or the registry sends another.
        """
        data = self.get_tagged(str(digest), media_type=media_type)
        if data is None:
            raise RegistryError(f"{self.reference.repository} has no manifest {digest}", remedy="check the reference")
        if hashlib.sha256(data).hexdigest() != digest.hex:
            raise RegistryError(
                f"the registry sent another manifest than {digest}",
                remedy="do not use it; the registry's storage was changed or is damaged: push the model again",
            )
        return data

    def get_tagged(self, name: str, *, media_type: str = MANIFEST_TYPE) -> bytes | None:
        """Return what a tag stands for now, or nothing. Whatever comes is the registry's word only.

        Raises:
            RegistryError: When the registry cannot be asked.
        """
        address = f"{self._base}/manifests/{name}"
        answer = self._ask("GET", address, accept=(_FOUND, _MISSING), headers={"Accept": media_type}, stream=True)
        return None if answer.status_code == _MISSING else self._limited(answer)

    def get_referrers(self, digest: ManifestDigest) -> bytes | None:
        """Return the answer of the referrers API, or nothing where a registry has none.

        Raises:
            RegistryError: When the registry cannot be asked.
        """
        address = f"{self._base}/referrers/{digest}"
        answer = self._ask("GET", address, accept=(_FOUND, _MISSING), headers={"Accept": INDEX_TYPE}, stream=True)
        if answer.status_code == _MISSING or not answer.headers.get("Content-Type", "").startswith(INDEX_TYPE):
            return None
        return self._limited(answer)

    def _limited(self, answer: Response) -> bytes:
        data = b""
        for chunk in self._receive(answer):
            data += chunk
            if len(data) > MAX_MANIFEST_BYTES:
                raise RegistryError(f"{self.reference.host} sent a manifest of more than {MAX_MANIFEST_BYTES} bytes")
        return data

    def _receive(self, answer: Response) -> Iterator[bytes]:
        with answer, _translated(self.reference.host):
            yield from answer.iter_content(CHUNK)

    def _same_origin(self, location: str) -> str:
        # Credentials go along; a registry that points elsewhere would have them sent there.
        place = urljoin(self._base + "/", location)
        if not location or urlsplit(place)[:2] != urlsplit(self._base)[:2]:
            raise RegistryError(f"{self.reference.host} wants the upload sent elsewhere: {location[:200]!r}")
        return place

    def _ask(
        self,
        method: str,
        address: str,
        *,
        accept: tuple[int, ...],
        body: Body | None = None,
        headers: dict[str, str] | None = None,
        stream: bool = False,
    ) -> Response:
        with _translated(self.reference.host):
            answer: Response = self._client.ask(method, address, body, dict(headers or {}), stream)
        if answer.status_code in accept:
            return answer
        said = answer.reason if stream else answer.text[:300].strip() or answer.reason
        answer.close()
        remedy = "check the address and your rights there"
        if answer.status_code in (401, 403):
            remedy = "log in with `docker login`; its configuration is where credentials are looked up"
        raise RegistryError(
            f"{self.reference.host} answered {answer.status_code} to {method} {urlsplit(address).path}: {said}",
            remedy=remedy,
        )


class _translated:  # noqa: N801 - reads as a word where it is used
    """Turn what the client library raises into our own error."""

    def __init__(self, host: str) -> None:
        self._host = host

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        # The library raises ValueError for an answer that it cannot handle; requests raises subclasses of OSError.
        if isinstance(error, (OSError, ValueError)):
            raise RegistryError(
                f"the registry {self._host} cannot be asked: {error}",
                remedy="check its name and the network; for a registry without TLS on this machine give --plain-http",
            ) from None


def _client(reference: Reference, transport: Transport) -> Any:  # noqa: ANN401 - the library has no types
    try:
        from weighbridge.oci._oras import Client  # noqa: PLC0415 - heavy, and an extra
    except ImportError:
        raise UsageError(
            "talking to registries needs the client library oras, which is not installed",
            remedy="install weighbridge[oci]",
        ) from None
    return Client(reference, plain=transport is Transport.PLAIN)
