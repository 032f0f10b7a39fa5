"""The bill of materials of the step image: what Debian's package list and the lock say is in it."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from urllib.parse import quote

_PIN = re.compile(r"^(?P<name>[a-z0-9.-]+)==(?P<version>[^\s;\\]+)", re.MULTILINE)
_INSTALLED = "Status: install ok installed"


def bill(root: Path, lock: Path, *, version: str) -> dict[str, object]:
    """Return a CycloneDX 1.6 document; the same image gives the same document."""
    components = sorted([*debian(root), *python(root, lock)], key=lambda item: item["bom-ref"])
    identity = "\n".join([version, *(item["bom-ref"] for item in components)])
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, identity)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "container",
                "bom-ref": "weighbridge-step",
                "name": "weighbridge-step",
                "version": version,
            }
        },
        "components": components,
    }


def debian(root: Path) -> list[dict[str, str]]:
    """Return Debian's packages in the image."""
    found = []
    for paragraph in (root / "var/lib/dpkg/status").read_text(encoding="utf-8").split("\n\n"):
        if _INSTALLED not in paragraph:
            continue
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and line[0] != " ")
        name, version, arch = fields["Package"], fields["Version"], fields["Architecture"]
        purl = f"pkg:deb/debian/{name}@{quote(version, safe='')}?arch={arch}&distro=bookworm"
        found.append({"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl})
    return found


def python(root: Path, lock: Path) -> list[dict[str, str]]:
    """Return the packages of the lock that were installed, and Weighbridge itself.

    Raises:
        ValueError: When something is installed that the lock does not pin.
    """
    pinned = {(match["name"], match["version"]) for match in _PIN.finditer(lock.read_text(encoding="utf-8"))}
    found = []
    for place in sorted(root.glob("usr/local/lib/python3.11/dist-packages/*.dist-info")):
        name, _, version = place.name.removesuffix(".dist-info").partition("-")
        name = re.sub(r"[-_.]+", "-", name).lower()
        if name != "weighbridge" and (name, version) not in pinned:
            raise ValueError(f"{name} {version} is in the image, and the lock does not pin it")
        purl = f"pkg:pypi/{name}@{quote(version, safe='')}"
        found.append({"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl})
    return found
