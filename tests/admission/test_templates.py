from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.admission.builders import GPU, container
from weighbridge import _yaml
from weighbridge.admission.accelerators import find_ways, load_rules
from weighbridge.admission.templates import KNOWN, MAX_PODS, FoundPod, find_pods
from weighbridge.errors import ParseError

SPEC = {"containers": [container(**GPU)]}
TEMPLATE = {"metadata": {"annotations": {"gpu-fraction": "1"}}, "spec": SPEC}
VERSIONS = {"Deployment": "apps/v1", "ReplicaSet": "apps/v1", "StatefulSet": "apps/v1", "DaemonSet": "apps/v1"}
VERSIONS |= {"Job": "batch/v1", "CronJob": "batch/v1"}


def made(kind: str, *, version: str = "", **body: Any) -> dict[str, Any]:
    metadata = {"name": "n", "namespace": "team"}
    return {"apiVersion": version or VERSIONS.get(kind, "v1"), "kind": kind, "metadata": metadata, **body}


def nested(path: tuple[str, ...], value: object) -> Any:
    for step in reversed(path):
        value = {step: value}
    return value


def ways(found: FoundPod) -> set[str]:
    return {match.way.value for match in find_ways(found.pod, rules=load_rules())}


@pytest.mark.parametrize("kind", [kind for kind in KNOWN if kind != "Pod"])
def test_finds_the_template_of_every_kind_of_kubernetes(kind: str) -> None:
    (found,) = find_pods(made(kind, **nested(KNOWN[kind], TEMPLATE)), what="f")
    assert (found.kind, found.name, found.namespace, found.path, found.exact) == (kind, "n", "team", KNOWN[kind], True)
    assert ways(found) == {"resource", "annotation"}


def test_finds_a_pod() -> None:
    (found,) = find_pods(made("Pod", spec=SPEC), what="f")
    assert found.path == ()
    assert ways(found) == {"resource"}


@pytest.mark.parametrize("kind", ["List", "PodList", "DeploymentList"])
def test_finds_the_pods_of_a_list_and_of_a_list_in_it(kind: str) -> None:
    inner = made("List", items=[made("Job", **nested(KNOWN["Job"], TEMPLATE))])
    found = find_pods(made(kind, items=[made("Pod", spec=SPEC), made("Service", spec={}), inner]), what="f")
    assert [item.path for item in found] == [("items", 0), ("items", 2, "items", 0, "spec", "template")]


EMBEDDING: dict[str, tuple[dict[str, Any], list[str]]] = {
    "JobSet": (
        {"replicatedJobs": [{"name": "w", "template": {"spec": {"template": TEMPLATE}}}]},
        ["spec.replicatedJobs[0].template.spec.template"],
    ),
    "LeaderWorkerSet": (
        {"leaderWorkerTemplate": {"leaderTemplate": TEMPLATE, "workerTemplate": TEMPLATE}},
        ["spec.leaderWorkerTemplate.leaderTemplate", "spec.leaderWorkerTemplate.workerTemplate"],
    ),
    "RayCluster": ({"headGroupSpec": {"template": TEMPLATE}}, ["spec.headGroupSpec.template"]),
    "PyTorchJob": (
        {"pytorchReplicaSpecs": {"Worker": {"template": TEMPLATE}}},
        ["spec.pytorchReplicaSpecs.Worker.template"],
    ),
    "InferenceService": (
        {"predictor": {"model": {"storageUri": "s3://m", **GPU}, "workerSpec": SPEC}, "transformer": SPEC},
        ["spec.predictor", "spec.predictor.workerSpec", "spec.transformer"],
    ),
    "ServingRuntime": ({"containers": [container(**GPU)]}, ["spec"]),
    "Workflow": (
        {"templates": [{"name": "d", "dag": {}}, {"container": container(**GPU)}, {"script": container(**GPU)}]},
        ["spec.templates[1]", "spec.templates[2]"],
    ),
    "CronWorkflow": (
        {"workflowSpec": {"templates": [{"containerSet": {"containers": [container(**GPU)]}}]}},
        ["spec.workflowSpec.templates[0].containerSet"],
    ),
    "Sidecars": ({"templates": [{"container": container(), "sidecars": [container(**GPU)]}]}, ["spec.templates[0]"]),
    "Deployment of another group": ({"template": TEMPLATE}, ["spec.template"]),
    "OnlyInit": ({"template": {"spec": {"initContainers": [container(**GPU)]}}}, ["spec.template"]),
}


@pytest.mark.parametrize(("spec", "paths"), EMBEDDING.values(), ids=list(EMBEDDING))
def test_finds_what_has_the_shape_of_a_pod_in_any_kind(spec: dict[str, Any], paths: list[str]) -> None:
    found = find_pods(made("Whatever", version="example.com/v1", spec=spec), what="f")
    assert [item.pod.path("x").removesuffix(".x") for item in found] == paths
    assert all("resource" in ways(item) for item in found)


def test_the_source_of_a_model_that_a_controller_downloads_is_a_volume() -> None:
    spec = {"predictor": {"model": {"storageUri": "s3://m", **GPU}}}
    (found,) = find_pods(made("InferenceService", version="serving.kserve.io/v1beta1", spec=spec), what="f")
    assert found.pod.spec.volumes == ({"name": "storageUri", "storageUri": "s3://m"},)
    assert not found.exact


def test_the_volumes_of_a_workflow_belong_to_each_of_its_pods() -> None:
    claim = {"name": "d", "persistentVolumeClaim": {"claimName": "c"}}
    spec = {"volumes": [claim], "templates": [{"container": container()}, {"script": container()}]}
    found = find_pods(made("Workflow", version="argoproj.io/v1alpha1", spec=spec), what="f")
    assert [item.pod.spec.volumes for item in found] == [(claim,), (claim,)]


def test_what_a_pod_says_of_its_status_is_not_read() -> None:
    status = {"conditions": [{"type": "PodScheduled", "status": "True"}]}
    (found,) = find_pods(made("Pod", spec={**SPEC, "nodeName": "gpu-1"}, status=status), what="f")
    assert ways(found) == {"resource", "node-name"}


@pytest.mark.parametrize("document", [made("Service", spec={"ports": []}), made("ConfigMap", data={"a": "b"})])
def test_finds_no_pod_where_none_is(document: dict[str, Any]) -> None:
    assert find_pods(document, what="f") == ()


@pytest.mark.parametrize("document", [None, [], "text", 7, {}, {"kind": 1}, made("List", items=[{}])])
def test_refuses_what_is_no_object_of_kubernetes(document: object) -> None:
    with pytest.raises(ParseError, match="no object of Kubernetes"):
        find_pods(document, what="f")


@pytest.mark.parametrize("spec", [{}, {"template": None}, {"template": []}])
def test_refuses_a_known_kind_without_its_pod(spec: object) -> None:
    with pytest.raises(ParseError, match="the Deployment has no pod at"):
        find_pods(made("Deployment", spec=spec), what="f")


def test_refuses_text_that_becomes_part_of_a_pod() -> None:
    spec = {"templates": [{"container": container(), "podSpecPatch": "{}"}]}
    with pytest.raises(ParseError, match="podSpecPatch is text"):
        find_pods(made("Workflow", version="argoproj.io/v1alpha1", spec=spec), what="f")


def test_refuses_more_pods_than_are_looked_at() -> None:
    items = [made("Pod", spec=SPEC)] * (MAX_PODS + 1)
    with pytest.raises(ParseError, match="more than 1000 pods"):
        find_pods(made("List", items=items), what="f")


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["spec", "template", "kind", "containers", "image", "items", "model", "container", "volumes"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(document=plain)
def test_any_document_is_read_or_refused(document: object) -> None:
    try:
        found = find_pods(document, what="f")
    except ParseError:
        return
    assert all(isinstance(item, FoundPod) for item in found)


@given(
    around=st.lists(st.sampled_from(["spec", "template", "jobs", "predictor", "x"]), max_size=8), index=st.booleans()
)
def test_a_pod_is_found_however_deep_it_lies(around: list[str], index: bool) -> None:
    value: Any = [TEMPLATE] if index else TEMPLATE
    for step in around:
        value = {step: value, "other": [1, {"name": "x"}]}
    found = find_pods(made("Any", version="example.com/v1", body=value), what="f")
    assert len(found) == 1
    assert "resource" in ways(found[0])


def test_manifests_may_have_several_documents_and_numbers_in_other_spellings() -> None:
    text = b'---\n---\nkind: A\nmode: 0644\n---\nkind: B\nx: "\\e[1m"\n...\n'
    first, second = _yaml.load_manifests(text, name="f")
    assert first.value == {"kind": "A", "mode": "0644"}
    assert (first.line("kind"), second.line("kind")) == (3, 6)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"a: &x 1\nb: *x\n", "f:1: anchors"),
        (b"a: 1\n---\nb: !!python/none 1\n", "f:3: tags"),
        (b"a: 1\na: 2\n", "f:2: the key 'a' appears twice"),
        (b"a: yes\n", "f:1: write true or false"),
        (b"a: [\n", "not YAML"),
        (b"\xff", "not UTF-8"),
        (b"[" * 65, "deeper than 64"),
    ],
)
def test_refuses_manifests_that_two_readers_would_read_differently(text: bytes, expected: str) -> None:
    with pytest.raises(ParseError, match=expected):
        _yaml.load_manifests(text, name="f")


def test_refuses_manifests_without_end() -> None:
    with pytest.raises(ParseError, match="at most"):
        _yaml.load_manifests(b" " * (_yaml.MAX_MANIFEST_BYTES + 1), name="f")
