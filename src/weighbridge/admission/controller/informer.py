"""A copy of one collection of the API server, kept up by a watch.

List once, then watch from the version of that list. A watch that ends is opened again where it ended; one that is too
old (410) or breaks in a way that cannot be told apart lists again. The copy is ``current`` only between an answer of
the API server and the next failure: what is decided by a copy that is not current could rest on a revoked key.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Final

from weighbridge.admission.controller.api import GONE, Api, ApiError, Object, Resource
from weighbridge.admission.controller.metrics import Metrics

FIRST_WAIT: Final = 0.1
LONGEST_WAIT: Final = 5.0
"""Seconds between attempts to reach the API server."""

SHORTEST_WATCH: Final = 1.0
"""A watch that ends sooner has failed, whatever it says, or it would be opened in a tight loop."""

Listener = Callable[[Object | None, Object | None], None]
"""Told of each change: the object before, and after."""


class Informer:
    """Keeps the copy in a thread of its own; ``listener`` is called from that thread."""

    def __init__(
        self, api: Api, resource: Resource, *, listener: Listener, metrics: Metrics, stop: threading.Event
    ) -> None:
        self._api = api
        self.resource = resource
        self._listener = listener
        self._metrics = metrics
        self._stop = stop
        self._lock = threading.Lock()
        self._objects: dict[str, Object] = {}
        self._current = threading.Event()
        self._version = ""
        self._failures = 0

    @property
    def current(self) -> bool:
        """Tell whether the copy is complete and the API server answers."""
        return self._current.is_set()

    def get(self, uid: str) -> Object | None:
        """Return the object with this uid."""
        with self._lock:
            return self._objects.get(uid)

    def objects(self) -> list[Object]:
        """Return every object."""
        with self._lock:
            return list(self._objects.values())

    def run(self) -> None:
        """Keep the copy until told to stop."""
        while not self._stop.is_set():
            try:
                if not self._version:
                    self._list()
                self._watch()
            except ApiError as error:
                self._failed(error)

    def _failed(self, error: ApiError) -> None:
        self._current.clear()
        self._metrics.reconnects.add(resource=self.resource.plural)
        # A version that cannot be watched is of no use; listing again is always right.
        if error.status:
            self._version = ""
        if error.status != GONE:
            self._failures += 1
            wait = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(self._failures, 16))
            self._stop.wait(wait * random.uniform(0.5, 1.0))  # noqa: S311

    def _list(self) -> None:
        items, version = self._api.list(self.resource)
        found = {_uid(item): _slim(item) for item in items}
        with self._lock:
            before = self._objects
            self._objects = found
        self._version = version
        self._answered()
        for uid, item in found.items():
            old = before.get(uid)
            if old is None or _version(old) != _version(item):
                self._listener(old, item)
        for uid, old in before.items():
            if uid not in found:
                self._listener(old, None)

    def _watch(self) -> None:
        started = time.monotonic()
        for change in self._api.watch(self.resource, self._version):
            if self._stop.is_set():
                return
            self._answered()
            if change.kind == "CONNECTED":
                continue
            self._version = _version(change.object)
            if change.kind != "BOOKMARK":
                self._take(change.object, deleted=change.kind == "DELETED")
        if time.monotonic() - started < SHORTEST_WATCH and not self._stop.is_set():
            raise ApiError(f"the watch of {self.resource.plural} ended at once")

    def _take(self, item: Object, *, deleted: bool) -> None:
        uid = _uid(item)
        with self._lock:
            old = self._objects.pop(uid, None)
            if not deleted:
                self._objects[uid] = _slim(item)
        self._listener(old, None if deleted else item)

    def _answered(self) -> None:
        self._failures = 0
        self._current.set()


def _uid(item: Object) -> str:
    return str(item["metadata"]["uid"])


def _version(item: Object) -> str:
    return str(item["metadata"]["resourceVersion"])


def _slim(item: Object) -> Object:
    # Who wrote which field is often half of an object, and nobody here asks.
    item["metadata"].pop("managedFields", None)
    return item
