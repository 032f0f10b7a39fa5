from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tools import crds, manifests
from tools.crd_schema import schema_of

from weighbridge.policy import PolicySpec


def documents() -> list[tuple[str, dict[str, Any]]]:
    return [
        (path.relative_to(manifests.ROOT).as_posix(), document)
        for path in sorted(manifests.ROOT.rglob("*.yaml"))
        if "argo" not in path.parts
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    ]


def test_derived_manifests_are_what_the_code_says(update_golden: bool) -> None:
    if update_golden:
        manifests.main(["write"])
    assert manifests.stale() == []


def test_says_which_derived_manifest_is_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifests, "ROOT", tmp_path)
    manifests.main(["write"])
    (tmp_path / "crds" / "modeltrusts.yaml").write_text("kind: Other\n")
    (tmp_path / "admission" / "pods.yaml").unlink()
    assert manifests.stale() == ["crds/modeltrusts.yaml", "admission/pods.yaml"]
    assert manifests.main(["check"]) == 1


def test_every_file_is_named_by_the_kustomization_beside_it() -> None:
    for folder in {path.parent for path in manifests.ROOT.rglob("*.yaml") if "argo" not in path.parts}:
        listed = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8")).get("resources", [])
        files = {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"}
        assert files == {name for name in listed if name.endswith(".yaml")}, folder


def test_schema_keeps_unknown_fields_for_the_parser_to_refuse() -> None:
    def objects(schema: dict[str, Any]) -> list[dict[str, Any]]:
        inner = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
        return [schema] * (schema.get("type") == "object") + [found for each in inner for found in objects(each)]

    found = objects(schema_of(PolicySpec))
    assert len(found) > 5
    assert all(each["x-kubernetes-preserve-unknown-fields"] for each in found)


def test_schema_demands_the_limits_of_the_checks_that_have_no_default() -> None:
    requirement = schema_of(PolicySpec)["properties"]["requirements"]["items"]
    rules = {rule["rule"].partition(" || ")[0] for rule in requirement["x-kubernetes-validations"]}
    assert rules == {"self.check != 'robustness'", "self.check != 'leakage'"}
    assert set(requirement["required"]) == {"check", "signers"}


def test_custom_resources_are_cluster_wide_with_columns_and_a_status() -> None:
    for definition in crds.definitions().values():
        version = definition["spec"]["versions"][0]
        assert definition["spec"]["scope"] == "Cluster"
        assert version["subresources"] == {"status": {}}
        assert [column["name"] for column in version["additionalPrinterColumns"]][-2:] == ["Accepted", "Age"]


def test_a_policy_that_cannot_be_evaluated_refuses() -> None:
    policies = [each for _, each in documents() if each["kind"].endswith("AdmissionPolicy")]
    assert len(policies) == 4
    for policy in policies:
        assert policy["spec"]["failurePolicy"] == "Fail", policy["metadata"]["name"]
        assert [each["name"] for each in policy["spec"]["matchConditions"]] == [
            "can-reach-an-accelerator",
            "is-no-daemon-of-the-cluster-itself",
        ]
        assert "namespaceSelector" not in policy["spec"]["matchConstraints"]
        assert "objectSelector" not in policy["spec"]["matchConstraints"]


def test_every_rule_says_what_to_do() -> None:
    rules = [
        rule
        for _, each in documents()
        if each["kind"] == "ValidatingAdmissionPolicy"
        for rule in each["spec"]["validations"]
    ]
    assert len(rules) > 5
    assert all("; " in rule["messageExpression"] for rule in rules)


def test_controller_runs_with_nothing_it_does_not_need() -> None:
    deployment = next(each for path, each in documents() if path == "controller/deployment.yaml")
    pod = deployment["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert pod["securityContext"]["runAsNonRoot"]
    assert isinstance(pod["securityContext"]["runAsUser"], int)
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]


def test_controller_may_change_nothing_but_pods_and_what_it_reports() -> None:
    role = next(each for path, each in documents() if path == "rbac/role.yaml" and each["kind"] == "ClusterRole")
    granted = {(resource, verb) for rule in role["rules"] for resource in rule["resources"] for verb in rule["verbs"]}
    writes = {(resource, verb) for resource, verb in granted if verb not in {"get", "list", "watch"}}
    assert writes == {
        ("pods", "patch"),
        ("pods/status", "patch"),
        ("events", "create"),
        *((f"{name}/status", "patch") for name in ("modelpolicies", "modeltrusts", "modelverdicts")),
    }
    assert not any("*" in pair for pair in granted)
