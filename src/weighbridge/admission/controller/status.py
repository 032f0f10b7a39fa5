"""Say in the status of each policy, trust document and verdict whether it counts, and if not, why.

A document that does not parse counts for nothing, and whoever wrote it would else learn that from a pod that is held.
"""

from __future__ import annotations

from typing import Final

from weighbridge.admission.controller.api import Api, ApiError, Object, Resource
from weighbridge.admission.controller.judge import Judge
from weighbridge.clock import Clock, format_instant

ACCEPTED: Final = "Accepted"
"""Type of the condition."""

MAX_MESSAGE: Final = 4096
"""Most characters of the condition's message."""

_GONE: Final = frozenset({404, 409})
"""Answers when the object is no longer there, or another has its name."""


class StatusWriter:
    """Writes statuses, each only when it changed."""

    def __init__(self, api: Api, *, judge: Judge, clock: Clock) -> None:
        self._api = api
        self._judge = judge
        self._clock = clock

    def write(self, resource: Resource, item: Object) -> None:
        """Write the status of one document.

        Raises:
            NotReadyError: When there is nothing to judge it by yet.
            ApiError: When the API server does not take it.
        """
        standing = self._judge.standing(item)
        meta, status = item["metadata"], item.get("status") or {}
        wanted = {
            "type": ACCEPTED,
            "status": "True" if standing.accepted else "False",
            "reason": standing.reason,
            "message": standing.message[:MAX_MESSAGE],
            "observedGeneration": meta["generation"],
        }
        present: Object = next((c for c in status.get("conditions") or () if c.get("type") == ACCEPTED), {})
        facts = {name: status.get(name) for name in standing.facts}
        if {name: present.get(name) for name in wanted} == wanted and facts == standing.facts:
            return
        same = present.get("status") == wanted["status"]
        wanted["lastTransitionTime"] = present["lastTransitionTime"] if same else format_instant(self._clock())
        try:
            self._api.patch_status(resource, meta["name"], {**standing.facts, "conditions": [wanted]}, uid=meta["uid"])
        except ApiError as error:
            if error.status not in _GONE:
                raise
