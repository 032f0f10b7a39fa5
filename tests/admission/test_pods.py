from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.admission.builders import container, pod
from tests.admission.ways import WAYS
from weighbridge.admission.accelerators import find_ways, load_rules
from weighbridge.admission.pods import MAX_POD_DEPTH, MAX_POD_VALUES, Pod
from weighbridge.errors import ParseError


def test_unknown_fields_are_passed_over() -> None:
    found = Pod.parse(pod(priority=1, tolerations=[{"operator": "Exists"}]))
    assert [item.name for _, item in found.containers()] == ["app"]


def test_null_is_the_same_as_absent() -> None:
    manifest = pod(initContainers=None, nodeName=None, containers=[container(env=None, resources=None)])
    assert Pod.parse(manifest).spec == Pod.parse(pod(containers=[container()])).spec


def test_name_is_the_beginning_of_one_where_there_is_none() -> None:
    assert Pod.parse({"metadata": {"generateName": "a-"}, "spec": {}}).name == "a-"


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "pod",
        {},
        {"spec": []},
        pod(containers={}),
        pod(containers=[[]]),
        pod(containers=[None]),
        pod(containers=[container(image=1)]),
        pod(containers=[container(env={"NVIDIA_VISIBLE_DEVICES": "all"})]),
        pod(containers=[container(env=[{"name": "A", "value": 1}])]),
        pod(containers=[container(resources={"limits": ["nvidia.com/gpu"]})]),
        pod(containers=[container(securityContext={"privileged": "true"})]),
        pod(containers=[container(securityContext={"privileged": 1})]),
        pod(volumes=["model"]),
        pod(hostPID="true"),
        pod(nodeName=["n"]),
        pod(resourceClaims={"name": "x"}),
        {"spec": {}, "metadata": {"annotations": {"gpu-fraction": 1}}},
    ],
)
def test_refuses_a_part_that_is_not_what_it_must_be(value: object) -> None:
    with pytest.raises(ParseError, match="the pod is not acceptable"):
        Pod.parse(value)


def test_refuses_a_pod_that_nests_too_deep() -> None:
    value: Any = {}
    for _ in range(MAX_POD_DEPTH):
        value = {"x": value}
    with pytest.raises(ParseError, match="deeper"):
        Pod.parse(pod(affinity=value))


def test_refuses_a_pod_without_end() -> None:
    with pytest.raises(ParseError, match="more than"):
        Pod.parse(pod(tolerations=[0] * MAX_POD_VALUES))


noise = st.dictionaries(
    st.sampled_from(["priority", "dnsPolicy", "tolerations", "affinity", "hostAliases", "tomorrow"]),
    st.none() | st.integers() | st.lists(st.dictionaries(st.text(max_size=3), st.integers(), max_size=2), max_size=3),
    max_size=4,
)


@given(row=st.sampled_from(sorted(WAYS)), extra=noise)
def test_no_other_field_hides_a_way(row: str, extra: dict[str, Any]) -> None:
    way, manifest = WAYS[row]
    found = find_ways(Pod.parse({**manifest, "spec": {**manifest["spec"], **extra}}), rules=load_rules())
    assert way in {match.way.value for match in found}


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
FIELDS = ["containers", "initContainers", "volumes", "resources", "resourceClaims", "nodeName", "hostPID"]


@given(name=st.sampled_from(FIELDS), value=junk)
def test_a_field_is_read_or_refused(name: str, value: object) -> None:
    try:
        found = Pod.parse(pod(**{name: value}))
    except ParseError:
        return
    find_ways(found, rules=load_rules())
