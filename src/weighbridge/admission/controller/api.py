"""Speak to the API server in plain JSON.

Connection, certificates, kubeconfig and the rotating token of a service account are the client library's. The objects
stay plain values: a typed model drops the fields that it does not know, and a field of a newer Kubernetes may be just
the one by which a pod reaches an accelerator.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from weighbridge.errors import InputError, WeighbridgeError

if TYPE_CHECKING:
    import httpx2

Object = dict[str, Any]
"""One Kubernetes object, as it came."""

REQUEST_SECONDS: Final = 10.0
"""Longest wait for the next bytes of an answer."""

WATCH_SECONDS: Final = 60
"""How long the API server keeps one watch open before it is asked for another."""

PAGE: Final = 500
"""Objects in one page of a list."""

GONE: Final = 410
CONFLICTS: Final = frozenset({409, 422})
"""Answers to a patch whose precondition no longer holds: a conflict, or a ``test`` that failed."""


class ApiError(WeighbridgeError):
    """The API server refused a request, or could not be reached; ``status`` is the HTTP code, or 0."""

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message, remedy="look at the controller's rights and at the API server")
        self.status = status


@dataclass(frozen=True, slots=True)
class Resource:
    """A collection of objects: ``api`` is ``api/v1`` or ``apis/GROUP/VERSION``."""

    api: str
    plural: str
    selector: str = ""

    def path(self, name: str = "", *, namespace: str = "", subresource: str = "") -> str:
        """Return the path of the collection or of one object."""
        within = ("namespaces", namespace) if namespace else ()
        return "/".join(part for part in (self.api, *within, self.plural, name, subresource) if part)


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a watch: ``ADDED``, ``MODIFIED``, ``DELETED`` or ``BOOKMARK``."""

    kind: str
    object: Object


class _Page(msgspec.Struct):
    items: list[Object]
    metadata: dict[str, Any]


class _Line(msgspec.Struct):
    type: str
    object: Object


class Api:
    """The API server as one user sees it. Safe to use from several threads."""

    def __init__(self, client: httpx2.Client) -> None:
        self._client = client

    @classmethod
    def connect(cls, kubeconfig: Path | None) -> Api:
        """Prepare the connection, by a kubeconfig or, without one, as the service account of this pod.

        Raises:
            InputError: When there is neither.
        """
        try:
            import httpx2  # noqa: PLC0415
            from lightkube.config.client_adapter import Client, ConnectionParams  # noqa: PLC0415
            from lightkube.config.kubeconfig import KubeConfig  # noqa: PLC0415
            from lightkube.core.exceptions import ConfigError  # noqa: PLC0415
        except ModuleNotFoundError as error:
            raise InputError(
                f"the Kubernetes client is not installed ({error.name})", remedy="pip install 'weighbridge[kubernetes]'"
            ) from None
        try:
            configs = KubeConfig.from_file(kubeconfig) if kubeconfig else KubeConfig.from_service_account()
            config = configs.get()
        except (ConfigError, OSError, KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"no way to the cluster: {error}", remedy="run in a pod with a service account, or give --kubeconfig"
            ) from None
        if config is None or config.user is None:
            raise InputError("the kubeconfig names no user", remedy="choose a context with a cluster and a user")
        # The environment's proxies are for the internet, not for the API server.
        params = ConnectionParams(timeout=httpx2.Timeout(REQUEST_SECONDS), trust_env=False)
        return cls(Client(config, params))

    def list(self, resource: Resource) -> tuple[list[Object], str]:
        """Return every object of a collection and the version of the list.

        Raises:
            ApiError: When the API server does not give it.
        """
        found: list[Object] = []
        token = ""
        while True:
            query: dict[str, str | int] = {"limit": PAGE} | ({"continue": token} if token else {})
            page = msgspec.json.decode(self._request("GET", resource.path(), query=_with(resource, query)), type=_Page)
            found += page.items
            token = str(page.metadata.get("continue") or "")
            if not token:
                return found, str(page.metadata.get("resourceVersion") or "")

    def watch(self, resource: Resource, version: str) -> Iterator[Change]:
        """Yield what changes after this version, until the API server ends the watch.

        Raises:
            ApiError: When the watch breaks; with status 410 when the version is too old.
        """
        import httpx2  # noqa: PLC0415

        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        # Longer than the watch lives: a connection that died without a word is noticed all the same.
        timeout = httpx2.Timeout(REQUEST_SECONDS, read=WATCH_SECONDS + REQUEST_SECONDS)
        try:
            with self._client.stream(
                "GET", resource.path(), params=_with(resource, query), timeout=timeout
            ) as response:
                if response.is_error:
                    response.read()
                    raise _refused("watch", resource.path(), response.status_code, response.content)
                yield Change("CONNECTED", {})
                for line in response.iter_lines():
                    if line:
                        yield _change(line, resource)
        except (httpx2.HTTPError, httpx2.StreamError) as error:
            raise ApiError(f"the watch of {resource.plural} broke: {_why(error)}") from None

    def get(self, resource: Resource, name: str, *, namespace: str = "") -> Object:
        """Return one object as it is now.

        Raises:
            ApiError: When the API server does not give it.
        """
        return _object(self._request("GET", resource.path(name, namespace=namespace)))

    def patch_json(
        self, resource: Resource, name: str, operations: Sequence[Mapping[str, object]], *, namespace: str = ""
    ) -> Object:
        """Apply operations to one object, all of them or none (RFC 6902).

        Raises:
            ApiError: When they are refused; with a status of ``CONFLICTS`` when a ``test`` does not hold.
        """
        path = resource.path(name, namespace=namespace)
        return _object(self._request("PATCH", path, body=operations, kind="application/json-patch+json"))

    def patch_status(self, resource: Resource, name: str, status: Object, *, namespace: str = "", uid: str) -> None:
        """Merge into the status of one object, if it is still the one with this uid.

        Raises:
            ApiError: When it is refused.
        """
        # Lists of a pod's status merge by their key; those of a custom resource are replaced, and are ours alone.
        core = resource.api == "api/v1"
        kind = "application/strategic-merge-patch+json" if core else "application/merge-patch+json"
        path = resource.path(name, namespace=namespace, subresource="status")
        self._request("PATCH", path, body={"metadata": {"uid": uid}, "status": status}, kind=kind)

    def create(self, resource: Resource, item: Object, *, namespace: str = "") -> None:
        """Create one object.

        Raises:
            ApiError: When it is refused; with status 409 when it exists.
        """
        self._request("POST", resource.path(namespace=namespace), body=item)

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def _request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: object = None,
        kind: str = "application/json",
    ) -> bytes:
        import httpx2  # noqa: PLC0415

        content = None if body is None else msgspec.json.encode(body)
        headers = {} if body is None else {"Content-Type": kind}
        try:
            response = self._client.request(method, path, params=query, content=content, headers=headers)
        except httpx2.HTTPError as error:
            raise ApiError(f"{method} {path}: {_why(error)}") from None
        if response.is_error:
            raise _refused(method, path, response.status_code, response.content)
        return response.content


def _with(resource: Resource, query: Mapping[str, str | int]) -> dict[str, str | int]:
    return {**query, **({"labelSelector": resource.selector} if resource.selector else {})}


def _change(line: str, resource: Resource) -> Change:
    try:
        found = msgspec.json.decode(line, type=_Line)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise ApiError(f"the watch of {resource.plural} said what is no event: {error}") from None
    if found.type == "ERROR":
        code = found.object.get("code")
        status = code if isinstance(code, int) else 0
        raise ApiError(f"the watch of {resource.plural} ended: {found.object.get('message')}", status=status)
    return Change(found.type, found.object)


def _object(data: bytes) -> Object:
    return msgspec.json.decode(data, type=Object)


def _refused(method: str, path: str, status: int, content: bytes) -> ApiError:
    try:
        message = _object(content).get("message")
    except (msgspec.DecodeError, msgspec.ValidationError):
        message = content[:200].decode(errors="replace")
    return ApiError(f"{method} {path}: {status} {message}", status=status)


def _why(error: Exception) -> str:
    return f"{type(error).__name__} {error}".strip()
