"""The steps as a real Argo controller runs them: a passed model comes out, and nothing else does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.argo.conftest import Workflows, example
from tests.cluster import argo

from weighbridge import verify
from weighbridge.errors import VerificationError
from weighbridge.model.digest import hash_model

pytestmark = [pytest.mark.cluster, pytest.mark.docker, pytest.mark.timeout(400)]


def nodes(status: dict[str, Any]) -> dict[str, str]:
    return {node["displayName"]: node["phase"] for node in status["nodes"].values()}


def failure(workflows: Workflows, status: dict[str, Any]) -> str:
    """Tell what the containers of the workflow's pods said, for the message of a failed assertion."""
    lines = [json.dumps(nodes(status), indent=1)]
    listed: Any = workflows.cluster.get("pods", "-n", argo.NAMESPACE)
    for pod in listed["items"]:
        name = pod["metadata"]["name"]
        done = workflows.cluster.kubectl(
            "logs", "-n", argo.NAMESPACE, name, "--all-containers", "--tail=8", check=False
        )
        lines.append(f"--- {name}: {pod['status'].get('message', '')}\n{done.stdout}{done.stderr}")
    return "\n".join(lines)


def test_trains_checks_judges_and_releases_the_model(workflows: Workflows, secured: tuple[str, dict[str, Any]]) -> None:
    name, status = secured
    assert status["phase"] == "Succeeded", failure(workflows, status)

    place = workflows.place(name)
    released = place / "secured" / "model"
    assert hash_model(released) == hash_model(place / "model")
    verdict = verify(
        released,
        verdict=place / "secured" / "verdict.sigstore.json",
        trust=workflows.site.directory / "trust.yaml",
        policy=workflows.site.directory / "policy.yaml",
    )
    assert verdict.model == hash_model(released)


def test_the_container_that_opens_the_model_sees_no_key(
    workflows: Workflows, secured: tuple[str, dict[str, Any]]
) -> None:
    listed: Any = workflows.cluster.get(
        "pods", "-n", argo.NAMESPACE, "-l", f"workflows.argoproj.io/workflow={secured[0]}"
    )
    opened = 0
    for pod in listed["items"]:
        secrets = {volume["name"] for volume in pod["spec"]["volumes"] if "secret" in volume}
        for container in pod["spec"].get("initContainers", []):
            if container["name"] != "measure":
                continue
            opened += 1
            mounts = {mount["name"] for mount in container["volumeMounts"]}
            assert secrets
            assert not mounts & secrets
            # The directory with the program that starts the container with the key, and the account's token.
            assert not [name for name in mounts if name.startswith(("var-run-argo", "kube-api-access"))]
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert opened == 4


def test_a_check_that_fails_is_retried_or_is_skipped_never_yields_a_passed_verdict(workflows: Workflows) -> None:
    """The data of the robustness test is missing: one run tries again, the other skips the whole task."""
    retried, skipped = example(), example()
    for workflow in (retried, skipped):
        secure = workflow["spec"]["templates"][0]["dag"]["tasks"][1]
        data = next(one for one in secure["arguments"]["parameters"] if one["name"] == "data")
        data["value"] = "{{workflow.uid}}/not-there.npz"
    retried["spec"]["templateDefaults"] = {"retryStrategy": {"limit": "1", "retryPolicy": "Always"}}
    _, secure, publish = skipped["spec"]["templates"][0]["dag"]["tasks"]
    secure["when"] = "false"
    publish["depends"] = "secure.Succeeded || secure.Skipped"
    names = [workflows.submit(retried), workflows.submit(skipped)]

    for name in names:
        status = workflows.status(name)
        place = workflows.place(name)
        assert (place / "model" / "model.pkl").is_file(), failure(workflows, status)
        assert not (place / "secured" / "model").exists()
        assert not (place / "secured" / "modelverdict.yaml").exists()
        assert status["phase"] != "Succeeded"
        trust, policy = (workflows.site.directory / name for name in ("trust.yaml", "policy.yaml"))
        for verdict in place.rglob("verdict.sigstore.json"):
            with pytest.raises(VerificationError, match="undecided"):
                verify(place / "model", verdict=verdict, trust=trust, policy=policy)
    gates = [node for node in nodes(workflows.status(names[0])) if node.startswith("gate(")]
    assert len(gates) == 2
