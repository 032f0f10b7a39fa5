from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.admission_cluster.office import Controller, Office, until
from tests.cluster.cluster import Cluster
from tests.cluster.install import MANIFESTS, install


@pytest.fixture(scope="package")
def enforced(cluster: Cluster) -> Iterator[Cluster]:
    """The cluster with the policies of the enforce overlay, and without a controller."""
    install(cluster, mode="enforce")
    cluster.kubectl("scale", "deployment/weighbridge-controller", "-n", "weighbridge-system", "--replicas=0")
    yield cluster
    cluster.kubectl("delete", "pods", "--all", "-n", "default", "--force")
    cluster.kubectl("delete", "-k", str(MANIFESTS / "overlays" / "enforce"), "--wait=true")


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
    until("the controller", started.ready)
    yield started
    if started.process is not None and started.process.poll() is None:
        started.end()
