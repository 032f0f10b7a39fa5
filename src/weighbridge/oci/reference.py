"""Names of images: a registry, a repository in it, and a tag or a digest.

Grammar: https://github.com/opencontainers/distribution-spec/blob/main/spec.md. The registry is always written out:
where a missing one would mean somebody's default registry, a typing error would publish a model.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from weighbridge.errors import UsageError
from weighbridge.model.digest import ManifestDigest

MAX_REFERENCE: Final = 512
"""Longest reference, in characters."""

_HOST: Final = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?"
_PART: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE: Final = re.compile(
    rf"(?P<host>{_HOST})/(?P<name>{_PART}(?:/{_PART})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


@dataclass(frozen=True, slots=True)
class Reference:
    """A place in a registry; ``tag`` and ``digest`` are optional."""

    host: str
    name: str
    tag: str = ""
    digest: ManifestDigest | None = None

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read ``REGISTRY/NAME[:TAG][@sha256:HEX]``.

        Raises:
            UsageError: For anything else.
        """
        found = _REFERENCE.fullmatch(text) if len(text) <= MAX_REFERENCE else None
        if found is None or not ("." in found["host"] or ":" in found["host"] or found["host"] == "localhost"):
            raise UsageError(
                f"{text[:MAX_REFERENCE]!r} does not name an image",
                remedy="write REGISTRY/NAME, its host written out, as in registry.example.org/team/model",
            )
        digest = ManifestDigest.parse(found["digest"]) if found["digest"] else None
        return cls(host=found["host"], name=found["name"], tag=found["tag"] or "", digest=digest)

    @property
    def repository(self) -> str:
        """Return the reference without tag and digest."""
        return f"{self.host}/{self.name}"

    @property
    def is_loopback(self) -> bool:
        """Tell whether the registry is on this machine, by its written name."""
        bare = self.host.rsplit(":", 1)[0] if not self.host.endswith("]") else self.host
        try:
            return bare == "localhost" or ipaddress.ip_address(bare.strip("[]")).is_loopback
        except ValueError:
            return False

    def at(self, digest: ManifestDigest) -> str:
        """Return how a pod names the image with this digest."""
        return f"{self.repository}@{digest}"
