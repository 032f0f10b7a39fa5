"""A CycloneDX 1.6 bill of materials of what a dependency audit judged, with its findings as vulnerabilities.

Specification: ECMA-424 (CycloneDX 1.6). Written from the record alone, so that it says nothing that is not signed.
"""

from __future__ import annotations

import uuid
from urllib.parse import quote

from weighbridge.evidence.measurements import DependencyAuditMeasurements
from weighbridge.evidence.record import CheckRecord, Finding
from weighbridge.model.digest import ALGORITHM, Digest


def bill_of_materials(record: CheckRecord, *, model: Digest, name: str) -> dict[str, object]:
    """Return the bill of materials as plain JSON.

    ``serialNumber`` is derived from the record's nonce, so the same record gives the same bytes.
    """
    measured = record.measurements
    components = measured.components if isinstance(measured, DependencyAuditMeasurements) else ()
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{model}#{record.nonce}')}",
        "version": 1,
        "metadata": {
            "timestamp": record.finished,
            "tools": {"components": [{"type": "application", "name": "weighbridge", "version": record.tool.version}]},
            "component": {
                "type": "machine-learning-model",
                "bom-ref": str(model),
                "name": name,
                "properties": [{"name": f"weighbridge.dev:{ALGORITHM}", "value": model.hex}],
            },
        },
        "components": [
            {
                "type": "library",
                "bom-ref": _purl(package, version),
                "name": package,
                "version": version,
                "purl": _purl(package, version),
            }
            for package, version in sorted({(item.name, item.version) for item in components})
        ],
        "vulnerabilities": [_vulnerability(finding) for finding in record.findings if finding.advisory],
    }


def _purl(name: str, version: str) -> str:
    # package-url: the version is percent-encoded, since local versions hold a plus sign.
    return f"pkg:pypi/{quote(name, safe='')}@{quote(version, safe='')}"


def _vulnerability(finding: Finding) -> dict[str, object]:
    entry: dict[str, object] = {
        "id": finding.advisory,
        "source": {"name": "OSV", "url": "https://osv.dev"},
        "references": [{"id": alias, "source": {"name": "OSV"}} for alias in finding.aliases],
        "ratings": [{"severity": finding.severity.value}],
        "description": finding.message,
        "recommendation": finding.remedy,
    }
    if finding.component:
        entry["affects"] = [{"ref": _purl(finding.component.name, finding.component.version)}]
    return entry
