"""Counters, gauges and histograms in the text format of Prometheus, and nothing more.

https://prometheus.io/docs/instrumenting/exposition_formats/ describes the format.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable
from typing import Final

SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Bounds of the histograms."""

Labels = tuple[tuple[str, str], ...]


class Counter:
    """A number that only grows, one for each set of labels."""

    kind = "counter"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[Labels, float] = {(): 0.0}

    def add(self, amount: float = 1.0, **labels: str) -> None:
        """Count."""
        key = tuple(sorted(labels.items()))
        with self._lock:
            if key:
                self._values.pop((), None)
            self._values[key] = self._values.get(key, 0.0) + amount

    def samples(self, name: str) -> list[str]:
        """Return the lines of this metric."""
        with self._lock:
            return [f"{name}{_braces(labels)} {value:g}" for labels, value in sorted(self._values.items())]


class Gauge:
    """A number that is read when somebody asks."""

    kind = "gauge"

    def __init__(self, read: Callable[[], dict[Labels, float]]) -> None:
        self._read = read

    def samples(self, name: str) -> list[str]:
        """Return the lines of this metric."""
        return [f"{name}{_braces(labels)} {value:g}" for labels, value in sorted(self._read().items())]


class Histogram:
    """How many observations were at most each bound."""

    kind = "histogram"

    def __init__(self, bounds: tuple[float, ...] = SECONDS) -> None:
        self._lock = threading.Lock()
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count one observation."""
        with self._lock:
            self._counts[bisect_left(self._bounds, value)] += 1
            self._sum += value

    def samples(self, name: str) -> list[str]:
        """Return the lines of this metric."""
        with self._lock:
            counts, total = list(self._counts), self._sum
        lines, running = [], 0
        for bound, count in zip((*map("{:g}".format, self._bounds), "+Inf"), counts, strict=True):
            running += count
            lines.append(f'{name}_bucket{{le="{bound}"}} {running}')
        return [*lines, f"{name}_sum {total:.6f}", f"{name}_count {running}"]


class Metrics:
    """Every metric of the controller. Names and meanings are a contract: dashboards read them."""

    def __init__(self) -> None:
        self.pods_seen = Counter()
        self.decisions = Counter()
        self.released = Counter()
        self.release_seconds = Histogram()
        self.revoked = Counter()
        self.reconnects = Counter()
        self.api_errors = Counter()
        self.failures = Counter()
        self._all: dict[str, tuple[str, Counter | Gauge | Histogram]] = {
            "weighbridge_pods_seen_total": ("Pods that the controller has been shown.", self.pods_seen),
            "weighbridge_decisions_total": ("Decisions by outcome and mode.", self.decisions),
            "weighbridge_pods_released_total": ("Gates that were removed, by reason.", self.released),
            "weighbridge_release_seconds": ("From the first sight of a pod to its release.", self.release_seconds),
            "weighbridge_pods_revoked_total": ("Running pods whose decision turned against them.", self.revoked),
            "weighbridge_watch_reconnects_total": ("Watches that broke, by resource.", self.reconnects),
            "weighbridge_api_errors_total": ("Requests that the API server refused, by status.", self.api_errors),
            "weighbridge_failures_total": ("Errors of the controller itself.", self.failures),
        }

    def gauge(self, name: str, text: str, read: Callable[[], dict[Labels, float]]) -> None:
        """Add a number that is read when somebody asks."""
        self._all[name] = (text, Gauge(read))

    def text(self) -> str:
        """Return everything in the text format."""
        lines: list[str] = []
        for name, (text, metric) in self._all.items():
            lines += [f"# HELP {name} {text}", f"# TYPE {name} {metric.kind}", *metric.samples(name)]
        return "\n".join(lines) + "\n"


def _braces(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in labels) + "}"


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
