"""The expression for the API server against the Python rules, by the CEL library that the API server uses."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.admission.builders import Manifest, container, pod
from tests.admission.ways import NO_WAYS, WAYS, harmless
from weighbridge.admission.accelerators import find_ways, load_rules
from weighbridge.admission.cel import accelerator_cel
from weighbridge.admission.pods import Pod

MODULE = Path(__file__).parent / "cel"

COST_LIMIT = 1_000_000
"""PerCallLimit of k8s.io/apiserver/pkg/apis/cel: what one expression may cost."""

TABLE = {**{f"way {name}": manifest for name, (_, manifest) in WAYS.items()}, **NO_WAYS}


def evaluate(pods: dict[str, Manifest]) -> dict[str, dict[str, Any]]:
    done = subprocess.run(
        ["go", "run", "."],
        cwd=MODULE,
        env={**os.environ, "GOFLAGS": "-mod=readonly"},
        input=json.dumps({"expression": accelerator_cel(), "pods": pods}),
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return answers


def crossed() -> dict[str, Manifest]:
    """Return every way beside every part that is none, so that no part hides another."""
    found: dict[str, Manifest] = {}
    for name, manifest in TABLE.items():
        spec = manifest["spec"]
        noise = [container(env=[{"name": "A", "value": "b"}], resources={"limits": {"cpu": 1}})] * 3
        found[f"{name} among others"] = {
            **manifest,
            "metadata": {**manifest["metadata"], "labels": {"a": "b"}},
            "spec": {
                **spec,
                "containers": [*noise, *spec["containers"]],
                "volumes": [{"name": "e", "emptyDir": {}}, *spec["volumes"]],
            },
        }
    return found


def largest() -> Manifest:
    """Return a pod that is as large as a pod gets and has no way, so that all of it is looked at."""
    one = container(
        env=[{"name": f"VARIABLE_{index}", "value": "x" * 50} for index in range(30)],
        resources={kind: {"cpu": 1, "memory": 1, "ephemeral-storage": 1} for kind in ("limits", "requests")},
        securityContext={"privileged": False, "capabilities": {"add": ["CHOWN", "FOWNER", "KILL"]}},
        volumeMounts=[{"name": "v", "mountPath": f"/data/{index}"} for index in range(20)],
    )
    return harmless(
        containers=[one] * 64,
        initContainers=[one] * 64,
        volumes=[{"name": f"v{index}", "hostPath": {"path": f"/data/{index}/x/y/z"}} for index in range(64)],
        metadata={"annotations": {f"example.com/{index}": "x" for index in range(64)}},
    )


@pytest.mark.go
def test_the_api_server_finds_what_python_finds_within_its_cost_limit() -> None:
    pods = {**TABLE, **crossed(), "bare": {"metadata": {}, "spec": {}}, "whole": pod(), "largest": largest()}
    answers = evaluate(pods)
    expected = {name: bool(find_ways(Pod.parse(manifest), rules=load_rules())) for name, manifest in pods.items()}
    assert {name: answer["result"] for name, answer in answers.items()} == expected
    assert not [name for name, answer in answers.items() if answer["cost"] > COST_LIMIT]
    assert set(expected.values()) == {True, False}


def test_the_expression_is_about_the_object_that_is_asked_for() -> None:
    text = accelerator_cel("oldObject")
    assert text == accelerator_cel("object").replace("object.", "oldObject.")
    assert " object." not in text


def test_the_expression_names_everything_that_the_rules_name() -> None:
    rules, text = load_rules(), accelerator_cel()
    names = [*rules.resources.allowed, *rules.annotations, *rules.capabilities, *rules.host_path_types]
    names += [*rules.resources.allowed_prefixes, *rules.schedulers.allowed, *rules.environment.names]
    names += [*rules.environment.suffixes, *rules.environment.allowed, *rules.mount_paths]
    assert not [entry.name for entry in names if f"'{entry.name}'" not in text]
    assert not [entry.name for entry in rules.host_paths if f"'{entry.name}/'" not in text]
