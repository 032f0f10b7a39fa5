"""Stands in for the expression of the admission package until that has landed."""

from __future__ import annotations


def accelerator_cel(subject: str) -> str:
    """Return a CEL expression that holds when the pod ``subject`` can reach an accelerator."""
    lists = " || ".join(
        f"{subject}.spec.?{name}.orValue([]).exists(c, "
        f"has(c.resources) && ("
        f"has(c.resources.requests) && c.resources.requests.exists(k, {_extended('k')}) || "
        f"has(c.resources.limits) && c.resources.limits.exists(k, {_extended('k')}) || "
        "has(c.resources.claims) && c.resources.claims.size() > 0))"
        for name in ("containers", "initContainers")
    )
    return (
        f"{subject}.spec.?resourceClaims.orValue([]).size() > 0 || "
        f"{subject}.spec.?runtimeClassName.orValue('') != '' || {lists}"
    )


def _extended(key: str) -> str:
    return f"{key}.contains('/')"
