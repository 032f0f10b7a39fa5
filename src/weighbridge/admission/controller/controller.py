"""Start the watches, the workers and the server, and stop them all again."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from weighbridge.admission.controller.api import Api, ApiError, Object, Resource
from weighbridge.admission.controller.informer import Informer
from weighbridge.admission.controller.judge import Judge, NotReadyError
from weighbridge.admission.controller.metrics import Labels, Metrics
from weighbridge.admission.controller.queue import WorkQueue
from weighbridge.admission.controller.reconcile import Reconciler
from weighbridge.admission.controller.report import Reporter
from weighbridge.admission.controller.server import Page
from weighbridge.admission.controller.status import StatusWriter
from weighbridge.clock import Clock
from weighbridge.errors import WeighbridgeError

LABEL: Final = "weighbridge.dev/accelerator"
"""Label that the API server puts on every pod that can reach an accelerator. It only makes the list short: what it
says about a pod is decided again, and a pod that has the gate and lost the label stays held."""

PODS: Final = Resource("api/v1", "pods", selector=f"{LABEL}=true")
OURS: Final = "apis/weighbridge.dev/v1alpha1"

WORKERS: Final = 4
"""Threads that decide. A decision takes about a millisecond, and the rest of the time waits for the API server."""

RESYNC_SECONDS: Final = 60.0
"""Every pod is decided again this often, since a verdict, a waiver and a trust document expire without an event."""

NOT_READY_SECONDS: Final = 0.2
"""How long a pod waits before it is tried again while the copies are not complete."""

STOP_SECONDS: Final = 5.0
"""Longest wait for work in hand when told to stop."""

log: Final = logging.getLogger(__name__)


class Controller:
    """All of it, as one thing that can be started and stopped."""

    def __init__(self, api: Api, *, clock: Clock, instance: str) -> None:
        self.metrics = Metrics()
        self._api = api
        self._stop = threading.Event()
        self._queue = WorkQueue()
        self._status_queue = WorkQueue()
        self._pods = self._informer(PODS, self._pod_changed)
        self._policies = self._informer(Resource(OURS, "modelpolicies"), self._rules_changed)
        self._trusts = self._informer(Resource(OURS, "modeltrusts"), self._rules_changed)
        self._verdicts = self._informer(Resource(OURS, "modelverdicts"), self._rules_changed)
        self._judge = Judge(policies=self._policies, trusts=self._trusts, verdicts=self._verdicts, clock=clock)
        reporter = Reporter(api, instance=instance, clock=clock, metrics=self.metrics)
        self._reconciler = Reconciler(api, judge=self._judge, reporter=reporter, metrics=self.metrics)
        self._status = StatusWriter(api, judge=self._judge, clock=clock)
        self._threads: list[threading.Thread] = []
        self._gauges()

    def start(self) -> None:
        """Start every thread."""
        for informer in self._informers:
            self._spawn(f"watch-{informer.resource.plural}", informer.run)
        for number in range(WORKERS):
            self._spawn(f"worker-{number}", lambda: self._work(self._queue, self._reconcile))
        self._spawn("status", lambda: self._work(self._status_queue, self._write_status))
        self._spawn("resync", self._resync)

    def stop(self) -> None:
        """Let the work in hand end, and stop."""
        self._stop.set()
        self._queue.close()
        self._status_queue.close()
        deadline = time.monotonic() + STOP_SECONDS
        for thread in self._threads:
            # A watch waits for the API server's next word, and has nothing to lose.
            if not thread.name.startswith("watch-"):
                thread.join(max(0.0, deadline - time.monotonic()))
        self._api.close()

    @property
    def ready(self) -> bool:
        """Tell whether decisions are being made."""
        return all(informer.current for informer in self._informers)

    @property
    def healthy(self) -> bool:
        """Tell whether every thread is alive."""
        return all(thread.is_alive() for thread in self._threads)

    def pages(self) -> dict[str, Page]:
        """Return the pages for probes and Prometheus."""
        return {
            "/healthz": lambda: _page(self.healthy, "a thread has ended"),
            "/readyz": lambda: _page(self.ready, "waiting for: " + ", ".join(self._missing())),
            "/metrics": lambda: (200, self.metrics.text()),
        }

    @property
    def _informers(self) -> tuple[Informer, ...]:
        return self._policies, self._trusts, self._verdicts, self._pods

    def _missing(self) -> list[str]:
        return [informer.resource.plural for informer in self._informers if not informer.current]

    def _informer(self, resource: Resource, listener: Callable[[Object | None, Object | None], None]) -> Informer:
        return Informer(self._api, resource, listener=listener, metrics=self.metrics, stop=self._stop)

    def _spawn(self, name: str, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        if new is None:
            if old is not None:
                self._reconciler.forget(old["metadata"]["uid"])
            return
        self._reconciler.see(new["metadata"]["uid"])
        self._queue.add(new["metadata"]["uid"])

    def _rules_changed(self, old: Object | None, new: Object | None) -> None:
        if old is not None and new is not None and _generation(old) == _generation(new):
            return  # only its status changed, and we wrote that
        self._judge.rules_changed()
        if new is not None:
            self._status_queue.add(new["metadata"]["uid"])
        self._decide_all()

    def _decide_all(self) -> None:
        for pod in self._pods.objects():
            self._queue.add(pod["metadata"]["uid"])

    def _resync(self) -> None:
        while not self._stop.wait(RESYNC_SECONDS):
            self._judge.rules_changed()
            self._decide_all()
            for informer in (self._policies, self._trusts, self._verdicts):
                for item in informer.objects():
                    self._status_queue.add(item["metadata"]["uid"])

    def _reconcile(self, uid: str) -> None:
        pod = self._pods.get(uid)
        if pod is not None:
            self._reconciler.reconcile(pod)

    def _write_status(self, uid: str) -> None:
        for informer in (self._policies, self._trusts, self._verdicts):
            if (item := informer.get(uid)) is not None:
                self._status.write(informer.resource, item)

    def _work(self, queue: WorkQueue, handle: Callable[[str], None]) -> None:
        while (key := queue.take()) is not None:
            try:
                handle(key)
            except NotReadyError:
                queue.add_later(key, seconds=NOT_READY_SECONDS)
            except ApiError as error:
                self.metrics.api_errors.add(status=str(error.status))
                log.warning("%s; trying again", error.message)
                queue.retry(key)
            except WeighbridgeError as error:
                self.metrics.failures.add()
                log.warning("%s; trying again", error.message)
                queue.retry(key)
            except Exception:
                # One pod that we cannot handle must not keep the others waiting. It stays held.
                self.metrics.failures.add()
                log.exception("unexpected error; the pod stays as it is")
                queue.retry(key)
            else:
                queue.forget(key)
            finally:
                queue.done(key)

    def _gauges(self) -> None:
        metrics = self.metrics
        metrics.gauge(
            "weighbridge_pods_held",
            "Pods that are held now.",
            lambda: {(): self._reconciler.tally().held},
        )
        metrics.gauge(
            "weighbridge_pods_unverified",
            "Pods without a gate whose models have no verdict that holds.",
            lambda: {(): self._reconciler.tally().unverified},
        )
        metrics.gauge("weighbridge_queue_length", "Pods that wait for a decision.", lambda: {(): len(self._queue)})
        metrics.gauge("weighbridge_cache_synced", "1 where the copy of a collection is complete.", self._synced)

    def _synced(self) -> dict[Labels, float]:
        return {
            (("resource", informer.resource.plural),): 1.0 if informer.current else 0.0 for informer in self._informers
        }


def _generation(item: Object) -> tuple[object, object]:
    meta = item["metadata"]
    return meta.get("generation"), meta["name"]


def _page(good: bool, problem: str) -> tuple[int, str]:
    return (200, "ok\n") if good else (503, f"{problem}\n")
