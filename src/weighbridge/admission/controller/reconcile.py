"""Act on the decision about one pod: take its gate off, or say why not.

The gate goes by one patch that tests the pod's uid, the resource version that was judged and the gate itself. So what
is released is exactly what was judged: a pod that changed in between is judged again.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Final

from weighbridge.admission.controller.api import CONFLICTS, Api, ApiError, Object
from weighbridge.admission.controller.judge import Found, Judge, NotReadyError
from weighbridge.admission.controller.metrics import Metrics
from weighbridge.admission.controller.report import PODS, Line, Reporter
from weighbridge.admission.decision import GATE, Outcome

ATTEMPTS: Final = 5
"""How often a pod that keeps changing is judged again at once, before it goes back into the queue."""

MAX_TRACKED: Final = 100_000
"""Most pods whose first sight is remembered."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How the pods stand."""

    held: int
    unverified: int


class Reconciler:
    """Brings one pod to the state that the decision asks for."""

    def __init__(self, api: Api, *, judge: Judge, reporter: Reporter, metrics: Metrics) -> None:
        self._api = api
        self._judge = judge
        self._reporter = reporter
        self._metrics = metrics
        self._lock = threading.Lock()
        self._seen: dict[str, float] = {}
        self._held: set[str] = set()
        self._verified: set[str] = set()
        self._unverified: set[str] = set()

    def see(self, uid: str) -> None:
        """Note when a pod was first shown."""
        with self._lock:
            if uid not in self._seen and len(self._seen) < MAX_TRACKED:
                self._seen[uid] = time.monotonic()
                self._metrics.pods_seen.add()

    def forget(self, uid: str) -> None:
        """Forget a pod that is gone."""
        with self._lock:
            self._seen.pop(uid, None)
            for group in (self._held, self._verified, self._unverified):
                group.discard(uid)

    def tally(self) -> Tally:
        """Return how the pods stand."""
        with self._lock:
            return Tally(held=len(self._held), unverified=len(self._unverified))

    def reconcile(self, pod: Object) -> None:
        """Decide about a pod and act.

        Raises:
            NotReadyError: When the copies that decisions rest on are not complete.
            ApiError: When the API server does not do as asked; the pod is as it was.
        """
        for _ in range(ATTEMPTS):
            if _ended(pod):
                self.forget(pod["metadata"]["uid"])
                return
            found = self._judge.decide(pod)
            self._metrics.decisions.add(outcome=str(found.outcome), mode=found.mode)
            gate = _gate(pod)
            if gate is None:
                self._report_running(pod, found)
                return
            if found.outcome is not Outcome.ADMIT and (found.mode == "enforce" or found.outcome is Outcome.NOT_HELD):
                self._hold(pod, found)
                return
            if self._release(pod, gate, found):
                return
            again = self._read(pod)
            if again is None:
                return
            pod = again
        raise NotReadyError("the pod changes faster than it can be judged", remedy="find what keeps changing it")

    def _release(self, pod: Object, gate: int, found: Found) -> bool:
        meta = pod["metadata"]
        place = f"/spec/schedulingGates/{gate}"
        operations = [
            {"op": "test", "path": "/metadata/uid", "value": meta["uid"]},
            {"op": "test", "path": "/metadata/resourceVersion", "value": meta["resourceVersion"]},
            {"op": "test", "path": f"{place}/name", "value": GATE},
            {"op": "remove", "path": place},
        ]
        try:
            self._api.patch_json(PODS, meta["name"], operations, namespace=meta["namespace"])
        except ApiError as error:
            if error.status in CONFLICTS:
                return False
            if error.status == 404:  # noqa: PLR2004
                return True
            raise
        # What there is to tell is told when the change comes back by the watch, after the pods that still wait.
        self._count_release(meta["uid"], found)
        return True

    def _count_release(self, uid: str, found: Found) -> None:
        reason = "verified" if found.outcome is Outcome.ADMIT else f"mode-{found.mode}"
        self._metrics.released.add(reason=reason)
        with self._lock:
            self._held.discard(uid)
            (self._verified if found.outcome is Outcome.ADMIT else self._unverified).add(uid)
            if (first := self._seen.get(uid)) is not None:
                self._metrics.release_seconds.observe(time.monotonic() - first)

    def _hold(self, pod: Object, found: Found) -> None:
        with self._lock:
            self._held.add(pod["metadata"]["uid"])
        lines = found.lines
        if found.outcome is Outcome.NOT_HELD:
            lines = (
                Line(
                    "NoAccelerator",
                    f"the pod has the scheduling gate {GATE}, and this controller finds no way to an accelerator in "
                    "it, so there is nothing that it could verify. Next step: leave the gate out where a person wrote "
                    "it; else install controller and policies of one version",
                ),
            )
        self._reporter.report(pod, lines, verified=False, weight="Warning")

    def _report_running(self, pod: Object, found: Found) -> None:
        uid = pod["metadata"]["uid"]
        if found.outcome is Outcome.NOT_HELD:
            return
        verified = found.outcome is Outcome.ADMIT
        with self._lock:
            turned = not verified and uid in self._verified
            self._held.discard(uid)
            (self._unverified if verified else self._verified).discard(uid)
            (self._verified if verified else self._unverified).add(uid)
        if turned:
            self._metrics.revoked.add()
        self._reporter.report(pod, found.lines, verified=verified, weight="Normal" if verified else "Warning")

    def _read(self, pod: Object) -> Object | None:
        meta = pod["metadata"]
        try:
            now = self._api.get(PODS, meta["name"], namespace=meta["namespace"])
        except ApiError as error:
            if error.status == 404:  # noqa: PLR2004
                return None
            raise
        return now if now["metadata"]["uid"] == meta["uid"] else None


def _gate(pod: Object) -> int | None:
    gates = pod["spec"].get("schedulingGates") or ()
    return next((place for place, gate in enumerate(gates) if gate.get("name") == GATE), None)


def _ended(pod: Object) -> bool:
    return pod.get("status", {}).get("phase") in {"Succeeded", "Failed"}
