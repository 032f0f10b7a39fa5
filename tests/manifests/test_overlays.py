from __future__ import annotations

import subprocess
from typing import Any

import pytest
import yaml
from tools import go_tools, manifests

pytestmark = pytest.mark.cluster  # for kubectl, in which kustomize is; no cluster is started


def built(overlay: str) -> list[dict[str, Any]]:
    kubectl = str(go_tools.build("kubernetes") / "kubectl")
    command = [kubectl, "kustomize", str(manifests.ROOT / "overlays" / overlay)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [each for each in yaml.safe_load_all(done.stdout) if each]


@pytest.mark.parametrize(
    ("overlay", "mutating", "actions"),
    [
        ("audit", {"weighbridge-index"}, {"weighbridge-pods": ["Audit"]}),
        ("warn", {"weighbridge-index"}, {"weighbridge-pods": ["Warn", "Audit"]}),
        (
            "enforce",
            {"weighbridge-index", "weighbridge-gate"},
            {"weighbridge-pods": ["Deny", "Audit"], "weighbridge-gate": ["Deny", "Audit"]},
        ),
    ],
)
def test_overlay_does_what_its_name_says(overlay: str, mutating: set[str], actions: dict[str, list[str]]) -> None:
    objects = built(overlay)
    bound = {each["metadata"]["name"] for each in objects if each["kind"] == "MutatingAdmissionPolicyBinding"}
    assert bound == mutating
    found = {
        each["metadata"]["name"]: each["spec"]["validationActions"]
        for each in objects
        if each["kind"] == "ValidatingAdmissionPolicyBinding"
    }
    assert found == actions


def test_overlays_differ_in_policies_alone() -> None:
    def others(overlay: str) -> list[dict[str, Any]]:
        return [each for each in built(overlay) if not each["apiVersion"].startswith("admissionregistration")]

    assert others("audit") == others("warn") == others("enforce")


def test_every_binding_names_a_policy_that_is_there() -> None:
    objects = built("enforce")
    policies = {(each["kind"], each["metadata"]["name"]) for each in objects}
    for each in objects:
        if each["kind"].endswith("PolicyBinding"):
            assert (each["kind"].removesuffix("Binding"), each["spec"]["policyName"]) in policies
