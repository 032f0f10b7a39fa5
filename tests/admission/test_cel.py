"""The expression for the API server against the Python rules, by the CEL library that the API server uses."""

from __future__ import annotations

import json
import os
import random
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


def drawn(count: int) -> dict[str, Manifest]:
    """Return pods put together by chance, always the same, of words that are near the edges of the rules."""
    chance = random.Random(7)
    steps = (
        "",
        ".",
        "..",
        "dev",
        "etc",
        "run",
        "var",
        "lib",
        "kubelet",
        "docker.sock",
        "cdi",
        "data",
        "devices",
        "proc",
    )
    names = ("cpu", "memory", "hugepages-2Mi", "hugepages", "a/b", "kubernetes.io/batch-cpu", "kubernetes.io/x", "Cpu")
    variables = ("NVIDIA_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES", "_VISIBLE_DEVICES", "X_VISIBLE_DEVICES_", "PATH")
    values = ("", "none", "void", "None", "all", "void ")
    capabilities = ("chown", "mknod", "CAP_MKNOD", "cap_all", "CAP_CAP_ALL", "ALLx", "m\u212anod", "\u0131")
    keys = ("gpu-x", "gpu", "xgpu-", "nvidia.com/x", "nvidia.com", "cdi.k8s.io/", "a/cdi.k8s.io")

    def maybe(value: object) -> Any:
        return value if chance.random() < 0.4 else None

    def one() -> Manifest:
        found = {
            "env": maybe([{"name": chance.choice(variables), "value": chance.choice(values)}]),
            "resources": maybe({chance.choice(("limits", "requests")): {chance.choice(names): 1}}),
            "securityContext": maybe({"capabilities": {"add": [chance.choice(capabilities)]}}),
            "volumeMounts": maybe([{"name": "v", "mountPath": f"/{'/'.join(chance.choices(steps, k=3))}"}]),
        }
        return container(**{key: value for key, value in found.items() if value is not None})

    def path() -> str:
        return "/" + "/".join(chance.choices(steps, k=chance.randint(0, 4)))

    return {
        f"drawn {number}": harmless(
            containers=[one() for _ in range(chance.randint(0, 2))],
            initContainers=[one() for _ in range(chance.randint(0, 1))],
            volumes=[{"name": "h", "hostPath": {"path": path()}} for _ in range(chance.randint(0, 1))],
            metadata={"annotations": {chance.choice(keys): "1"}} if chance.random() < 0.2 else {},
            schedulerName=chance.choice(("", "default-scheduler", "default-scheduler ")) if number % 9 == 0 else "",
        )
        for number in range(count)
    }


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
    pods = {
        **TABLE,
        **crossed(),
        **drawn(2000),
        "bare": {"metadata": {}, "spec": {}},
        "whole": pod(),
        "largest": largest(),
    }
    answers = evaluate(pods)
    expected = {name: bool(find_ways(Pod.parse(manifest), rules=load_rules())) for name, manifest in pods.items()}
    assert {name: answer["result"] for name, answer in answers.items()} == expected
    assert not [name for name, answer in answers.items() if answer["cost"] > COST_LIMIT]
    luck = [expected[name] for name in drawn(2000)]
    assert min(luck.count(True), luck.count(False)) > 200  # the draw is worth something


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
