from __future__ import annotations

import http.client
from collections.abc import Iterator

import pytest

from weighbridge.admission.controller.metrics import Counter, Histogram, Metrics
from weighbridge.admission.controller.server import Server, parse_address
from weighbridge.errors import OutputError, UsageError


def test_counter_writes_a_line_for_each_set_of_labels() -> None:
    counter = Counter()
    assert counter.samples("n") == ["n 0"]
    counter.add(outcome="hold", mode="enforce")
    counter.add(mode="enforce", outcome="hold")
    counter.add(outcome='a"b\\\n')
    assert counter.samples("n") == ['n{mode="enforce",outcome="hold"} 2', 'n{outcome="a\\"b\\\\\\n"} 1']


def test_histogram_counts_what_is_at_most_each_bound() -> None:
    histogram = Histogram((0.1, 1.0))
    for value in (0.1, 0.5, 7.0):
        histogram.observe(value)
    assert histogram.samples("n") == [
        'n_bucket{le="0.1"} 1',
        'n_bucket{le="1"} 2',
        'n_bucket{le="+Inf"} 3',
        "n_sum 7.600000",
        "n_count 3",
    ]


def test_every_metric_has_help_and_a_type() -> None:
    metrics = Metrics()
    metrics.gauge("weighbridge_pods_held", "Held.", lambda: {(): 3, (("a", "b"),): 1.0})
    lines = metrics.text().splitlines()
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert names == [line.split()[2] for line in lines if line.startswith("# HELP")]
    assert {"weighbridge_pods_seen_total", "weighbridge_release_seconds", "weighbridge_pods_held"} <= set(names)
    assert "weighbridge_pods_held 3" in lines
    assert 'weighbridge_pods_held{a="b"} 1' in lines


@pytest.fixture
def server() -> Iterator[Server]:
    pages = {"/healthz": lambda: (200, "ok\n"), "/readyz": lambda: (503, "waiting for: modeltrusts\n")}
    started = Server(("127.0.0.1", 0), pages)
    yield started
    started.close()


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [("/healthz", 200, "ok"), ("/readyz", 503, "waiting for: modeltrusts"), ("/../etc/passwd", 404, "not found")],
)
def test_server_answers_its_pages_and_nothing_else(server: Server, path: str, status: int, text: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    assert (answer.status, answer.read().decode().strip()) == (status, text)
    connection.close()


def test_refuses_a_port_that_is_taken(server: Server) -> None:
    with pytest.raises(OutputError, match="cannot be served"):
        Server(("127.0.0.1", server.port), {})


def test_reads_addresses() -> None:
    assert parse_address("0.0.0.0:8080") == ("0.0.0.0", 8080)
    assert parse_address("[::1]:0") == ("::1", 0)


@pytest.mark.parametrize("text", ["8080", "host:", "host:http", "host:70000", ""])
def test_refuses_what_is_no_address(text: str) -> None:
    with pytest.raises(UsageError, match="HOST:PORT"):
        parse_address(text)
