from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.admission_cluster.office import Controller, Office, until
from tests.cluster.cluster import Cluster
from tests.cluster.install import CONTROLLER, NAMESPACE, install, uninstall


@pytest.fixture(scope="package")
def enforced(cluster: Cluster) -> Iterator[Cluster]:
    """The cluster with the policies of the enforce overlay, and without a controller."""
    install(cluster, mode="enforce")
    cluster.kubectl("scale", CONTROLLER, "-n", NAMESPACE, "--replicas=0")
    yield cluster
    uninstall(cluster)


@pytest.fixture(scope="package")
def office(enforced: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """The people who sign, their trust and policy applied."""
    made = Office(enforced, tmp_path_factory.mktemp("office"))
    made.install()
    return made


@pytest.fixture
def controller(office: Office, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controller]:
    """The controller, running and ready."""
    started = Controller(office.cluster, tmp_path_factory.mktemp("controller") / "log")
    started.start()
    try:
        until("the controller", started.ready, seconds=60)
        yield started
    finally:
        if started.process is not None and started.process.poll() is None:
            started.end()
