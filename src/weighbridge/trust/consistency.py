"""Refuse a trust document that contradicts itself, or says something that would never hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from weighbridge.errors import TrustError
from weighbridge.model.digest import ALGORITHM
from weighbridge.trust.document import INPUT, MAX_KEYS, TRIES_RESET, VERDICT, Revoked, RoleSpec, TrustSpec
from weighbridge.trust.key import TrustedKey

_KEY_ID: Final = r"SHA256:[A-Za-z0-9+/]{43}"
_MODEL_ID: Final = rf"{ALGORITHM}:[0-9a-f]{{64}}"
_POLICY_ID: Final = r"sha256:[0-9a-f]{64}"

_EVIDENCE: Final = frozenset({"dependency-audit", "model-scan", "robustness", "leakage"})


def require_consistent(spec: TrustSpec, keys: Sequence[TrustedKey], *, name: str) -> None:
    """Return when roles, keys and revocations go together; ``keys`` are the parsed ones of all roles.

    Raises:
        TrustError: When they do not.
    """
    names = [role.name for role in spec.roles]
    repeated = sorted({role for role in names if names.count(role) > 1})
    if repeated:
        raise TrustError(f"{name}: the role {repeated[0]} appears twice", remedy="merge the two")
    if len(keys) > MAX_KEYS:
        raise TrustError(f"{name} has {len(keys)} keys; at most {MAX_KEYS} are accepted")
    for role in spec.roles:
        _require_apart(role, name)
    for role in spec.roles:
        ids = [trusted.key.id for trusted in keys if trusted.role == role.name]
        if len(set(ids)) < len(ids):
            twice = next(item for item in ids if ids.count(item) > 1)
            raise TrustError(f"{name}: the role {role.name} has the key {twice} twice", remedy="leave one of them out")
    _require_spelling(spec.revoked, name)


def _require_apart(role: RoleSpec, name: str) -> None:
    # Whoever examines a model must not also say on what, nor that earlier tries do not count.
    kinds = {
        "evidence": [item for item in role.signs if item in _EVIDENCE],
        "inputs": [item for item in role.signs if item.startswith(INPUT)],
        "resets of tries": [item for item in role.signs if item == TRIES_RESET],
        "verdicts": [item for item in role.signs if item == VERDICT],
    }
    held = [kind for kind, items in kinds.items() if items]
    if len(held) > 1:
        raise TrustError(
            f"{name}: the role {role.name} signs {held[0]} and {held[1]}; one role must not do both",
            remedy=f"give {held[1]} a role of their own",
        )


def _require_spelling(revoked: Revoked, name: str) -> None:
    # What is revoked is compared as text, so another spelling would revoke nothing and nobody would notice.
    for spelling, items in ((_KEY_ID, revoked.keys), (_MODEL_ID, revoked.models), (_POLICY_ID, revoked.policies)):
        for item in items:
            if re.fullmatch(spelling, item.id) is None:
                raise TrustError(
                    f"{name}: {item.id!r} is revoked, but nothing is ever called that; expected {spelling}",
                    remedy="write it as `weighbridge trust show` and `weighbridge digest` print it",
                )
