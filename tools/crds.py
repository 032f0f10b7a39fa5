"""The custom resource definitions: schema from the parser's types, columns for people, a status from the controller."""

from __future__ import annotations

from typing import Any, Final

from tools.crd_schema import schema_of
from weighbridge.policy import PolicySpec
from weighbridge.trust import TrustSpec

GROUP: Final = "weighbridge.dev"
VERSION: Final = "v1alpha1"
MAX_BUNDLE: Final = 524_288
"""Longest bundle of a ModelVerdict in characters; etcd takes objects of at most 1.5 MB."""

Manifest = dict[str, Any]


def definitions() -> dict[str, Manifest]:
    """Return every definition by the plural of its kind."""
    made = [
        _definition(
            "ModelPolicy",
            "What must hold before a model may run on an accelerator.",
            schema_of(PolicySpec),
            [_column("Mode", ".spec.mode"), _accepted()],
        ),
        _definition("ModelTrust", "Who may sign what, and what has been revoked.", _trust(), _trust_columns()),
        _definition(
            "ModelVerdict",
            "The signed verdict about one model. Its signature is verified at every use, so whoever may write one"
            " can forge nothing.",
            _verdict(),
            [
                _column("Model", ".status.model"),
                _column("Signer", ".status.signer"),
                _column("Valid until", ".status.validUntil"),
                _accepted(),
            ],
        ),
    ]
    return {definition["spec"]["names"]["plural"]: definition for definition in made}


def _trust() -> Manifest:
    schema = schema_of(TrustSpec)
    # Compared by version alone: comparing whole documents would cost more than the API server allows a rule.
    schema["x-kubernetes-validations"] = [
        {
            "rule": "self.version >= oldSelf.version",
            "message": "the version of a trust document never falls: an older document would forget what was revoked",
        }
    ]
    return schema


def _trust_columns() -> list[Manifest]:
    return [_column("Version", ".spec.version", kind="integer"), _column("Expires", ".spec.expires"), _accepted()]


def _verdict() -> Manifest:
    return {
        "type": "object",
        "required": ["bundle"],
        "properties": {
            "bundle": {
                "type": "string",
                "description": "The Sigstore bundle that the gate wrote, as JSON text.",
                "minLength": 2,
                "maxLength": MAX_BUNDLE,
            }
        },
        "x-kubernetes-validations": [
            {"rule": "self.bundle == oldSelf.bundle", "message": "a verdict does not change; create another one"}
        ],
    }


def _definition(kind: str, description: str, spec: Manifest, columns: list[Manifest]) -> Manifest:
    singular = kind.lower()
    plural = singular[:-1] + "ies" if singular.endswith("y") else singular + "s"
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Cluster",
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": plural,
                "singular": singular,
                "categories": ["weighbridge"],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [*columns, _column("Age", ".metadata.creationTimestamp", kind="date")],
                    "schema": {"openAPIV3Schema": _schema(description, spec)},
                }
            ],
        },
    }


def _schema(description: str, spec: Manifest) -> Manifest:
    return {
        "type": "object",
        "description": description,
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": spec,
            "status": _status(),
        },
    }


def _status() -> Manifest:
    text = {"type": "string", "maxLength": 1024}
    return {
        "type": "object",
        "description": "What the controller found. Nothing decides by it.",
        "properties": {
            "model": text,
            "signer": text,
            "validUntil": text,
            "conditions": {
                "type": "array",
                "maxItems": 8,
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["type"],
                "items": {
                    "type": "object",
                    "required": ["type", "status", "reason", "message", "lastTransitionTime"],
                    "properties": {
                        "type": {"type": "string", "maxLength": 316},
                        "status": {"type": "string", "enum": ["True", "False", "Unknown"]},
                        "reason": {"type": "string", "maxLength": 1024},
                        "message": {"type": "string", "maxLength": 32768},
                        "lastTransitionTime": {"type": "string", "format": "date-time"},
                        "observedGeneration": {"type": "integer", "format": "int64"},
                    },
                },
            },
        },
    }


def _column(name: str, path: str, *, kind: str = "string") -> Manifest:
    return {"name": name, "type": kind, "jsonPath": path}


def _accepted() -> Manifest:
    return _column("Accepted", '.status.conditions[?(@.type=="Accepted")].status')
