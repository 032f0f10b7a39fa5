"""Tell people about a pod: an Event for each distinct reason, and a condition that holds the present state.

Both are for reading only. Nothing is decided by what stands there, since whoever may edit a pod may edit it too.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from weighbridge.admission.controller.api import Api, ApiError, Object, Resource
from weighbridge.admission.controller.metrics import Metrics
from weighbridge.clock import Clock, format_instant

CONDITION: Final = "weighbridge.dev/Verified"
"""Type of the pod's condition."""

REPORTER: Final = "weighbridge.dev/controller"
PODS: Final = Resource("api/v1", "pods")
EVENTS: Final = Resource("apis/events.k8s.io/v1", "events")

MAX_NOTE: Final = 1024
"""Most bytes of an Event's note that the API server takes."""

MAX_MESSAGE: Final = 4096
"""Most characters of a condition's message."""

MAX_EVENTS: Final = 8
"""Most Events about one decision; the condition has all reasons."""

REMEMBERED: Final = 10_000
"""How many Events are remembered as written."""

Weight = Literal["Normal", "Warning"]


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to tell: a code in CamelCase, and sentences for a person."""

    code: str
    text: str


class Reporter:
    """Writes Events and conditions, each once."""

    def __init__(self, api: Api, *, instance: str, clock: Clock, metrics: Metrics) -> None:
        self._api = api
        self._instance = instance
        self._clock = clock
        self._metrics = metrics
        self._lock = threading.Lock()
        self._written: OrderedDict[str, None] = OrderedDict()

    def report(self, pod: Object, lines: Sequence[Line], *, verified: bool, weight: Weight) -> None:
        """Write what is new about a pod.

        Raises:
            ApiError: When the API server does not take it, unless the pod or its namespace is going away.
        """
        for line in lines[:MAX_EVENTS]:
            self._event(pod, line, weight)
        self._condition(pod, lines, verified=verified)

    def _event(self, pod: Object, line: Line, weight: Weight) -> None:
        meta = pod["metadata"]
        key = hashlib.sha256(f"{meta['uid']}\0{line.code}\0{line.text}".encode()).hexdigest()[:16]
        with self._lock:
            if key in self._written:
                return
        now = self._clock()
        event = {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            # The same news has the same name, so a controller that starts again does not write it twice.
            "metadata": {"name": f"{meta['name'][:200]}.{key}", "namespace": meta["namespace"]},
            "eventTime": _micro(now),
            "reportingController": REPORTER,
            "reportingInstance": self._instance[:128],
            "action": "Verify",
            "reason": line.code[:128],
            "type": weight,
            "note": _cut(line.text, MAX_NOTE),
            "regarding": {
                "apiVersion": "v1",
                "kind": "Pod",
                "name": meta["name"],
                "namespace": meta["namespace"],
                "uid": meta["uid"],
            },
        }
        try:
            self._api.create(EVENTS, event, namespace=meta["namespace"])
        except ApiError as error:
            # 403 and 404: the namespace is being deleted, and the pod with it.
            if error.status not in {403, 404, 409}:
                raise
            self._metrics.api_errors.add(status=str(error.status))
        with self._lock:
            self._written[key] = None
            while len(self._written) > REMEMBERED:
                self._written.popitem(last=False)

    def _condition(self, pod: Object, lines: Sequence[Line], *, verified: bool) -> None:
        meta = pod["metadata"]
        wanted = {
            "type": CONDITION,
            "status": "True" if verified else "False",
            "reason": lines[0].code if lines else "Verified",
            "message": "\n".join(line.text for line in lines)[:MAX_MESSAGE],
        }
        present = _present(pod)
        if {name: present.get(name) for name in wanted} == wanted:
            return
        if present.get("status") != wanted["status"]:
            wanted["lastTransitionTime"] = format_instant(self._clock())
        try:
            self._api.patch_status(
                PODS, meta["name"], {"conditions": [wanted]}, namespace=meta["namespace"], uid=meta["uid"]
            )
        except ApiError as error:
            # Gone, or another pod has its name by now.
            if error.status not in {404, 409}:
                raise


def camel(code: str) -> str:
    """Write a code such as ``no-verdict`` as ``NoVerdict``, which is how Kubernetes writes reasons."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", code) if part)


def _present(pod: Object) -> Object:
    for condition in pod.get("status", {}).get("conditions") or ():
        if condition.get("type") == CONDITION:
            return dict(condition)
    return {}


def _micro(now: datetime) -> str:
    return format_instant(now)[:-1] + f".{now.microsecond:06d}Z"


def _cut(text: str, limit: int) -> str:
    data = text.encode()
    return text if len(data) <= limit else data[: limit - 3].decode(errors="ignore") + "…"
