"""The client library ``oras``, with a timeout, without its pauses, and with a fresh token where one is too narrow."""

from __future__ import annotations

import logging
from typing import Any

import oras.container
import oras.provider
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

from weighbridge.errors import RegistryError
from weighbridge.oci.reference import Reference

TIMEOUT = (10.0, 120.0)
"""Seconds that a connection, and each answer on it, may take."""

_REFUSED = (401, 403)


class _Patience(HTTPAdapter):  # type: ignore[misc] # requests has no types
    def send(self, request: PreparedRequest, **options: object) -> Response:
        options["timeout"] = options.get("timeout") or TIMEOUT
        answer: Response = super().send(request, **options)
        return answer


class Client:
    """Asks one registry, as whom docker's configuration says."""

    def __init__(self, reference: Reference, *, plain: bool) -> None:
        logging.getLogger("oras").setLevel(logging.CRITICAL)  # it logs what is raised anyway
        self._plain = plain
        self._reference = reference
        self._registry: Any = None

    def ask(self, method: str, address: str, body: object, headers: dict[str, str], stream: bool) -> Response:
        """Send one request and return the answer, whatever its code."""
        if self._registry is None:
            self._registry = self._connect("token")
            ping = f"{self._registry.prefix}://{self._reference.host}/v2/"
            challenge = self._registry.session.get(ping).headers.get("WWW-Authenticate", "")
            if challenge.lower().startswith("basic"):
                self._registry = self._connect("basic")
                if not getattr(self._registry.auth, "_basic_auth", None):
                    self._registry = None
                    raise RegistryError(
                        f"the registry {self._reference.host} asks for a password, and docker's configuration has none",
                        remedy="log in with `docker login`",
                    )
        answer = self._once(method, address, body, headers, stream)
        if answer.status_code in _REFUSED and getattr(self._registry.auth, "token", None):
            # The library keeps the first token, which may be for reading only.
            self._registry.auth.token = None
            answer = self._once(method, address, body, headers, stream)
        return answer

    def _once(self, method: str, address: str, body: object, headers: dict[str, str], stream: bool) -> Response:
        once = oras.provider.Registry.do_request.__wrapped__
        answer: Response = once(self._registry, address, method, data=body, headers=dict(headers), stream=stream)
        return answer

    def _connect(self, backend: str) -> Any:  # noqa: ANN401 - the library has no types
        registry = oras.provider.Registry(self._reference.host, insecure=self._plain, auth_backend=backend)
        for scheme in ("https://", "http://"):
            registry.session.mount(scheme, _Patience())
        container = oras.container.Container(self._reference.repository)
        container.registry = self._reference.host  # the library takes a bare host name for a part of the name
        registry.auth.load_configs(container)
        return registry
