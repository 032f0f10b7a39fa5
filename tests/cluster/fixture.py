"""The cluster as a pytest fixture: one a process, started by the first test that asks; its logs are kept on failure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.cluster import Cluster, running

LOGS = Path("cluster-logs")
"""Where the logs of a cluster go when a test that used it failed, below the place pytest was started in."""


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Return a running cluster with nothing of ours installed."""
    failed = request.session.testsfailed
    with running() as started:
        yield started
        if request.session.testsfailed > failed:
            started.collect(LOGS.absolute() / started.home.name)
