from __future__ import annotations

import pytest

from tests.admission.builders import Cluster, good_cluster


@pytest.fixture
def cluster() -> Cluster:
    return good_cluster()
