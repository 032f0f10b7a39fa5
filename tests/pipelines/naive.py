"""The pipelines that people write first: a scan, and a deployment that is meant to happen only after it."""

# kfp reads annotations as objects, so they must not be postponed here.
from dataclasses import dataclass
from typing import Any

from kfp import dsl

SCRIPT = """
import json, os, shutil, sys
message = json.loads(sys.argv[2])
def only(side, name):
    return message[side]["artifacts"][name]["artifacts"][0]
model = only("inputs", "model")["uri"]
evil = os.path.exists(model + "/model.pkl")
written = {}
values = {}
if sys.argv[1] == "scan":
    if evil and "refuse" in sys.argv[3:]:
        sys.exit("evil: exit code 3")
    values["verdict"] = "fail" if evil else "pass"
else:
    target = only("outputs", "deployed")
    os.makedirs(os.path.dirname(target["uri"]), exist_ok=True)
    shutil.copytree(model, target["uri"])
    written["deployed"] = {"artifacts": [target]}
out = message["outputs"]["outputFile"]
os.makedirs(os.path.dirname(out), exist_ok=True)
json.dump({"artifacts": written, "parameterValues": values}, open(out, "w"))
"""


@dataclass(frozen=True)
class Naive:
    """``scan`` says pass or fail, ``refusing_scan`` fails the task, ``deploy`` copies the model to ``deployed``."""

    scan: Any
    refusing_scan: Any
    deploy: Any


def naive(image: str) -> Naive:
    def spec(*arguments: str) -> dsl.ContainerSpec:
        return dsl.ContainerSpec(
            image=image, command=["/usr/bin/python3", "-I", "-c", SCRIPT, arguments[0], "{{$}}"], args=[*arguments[1:]]
        )

    @dsl.container_component
    def scan(model: dsl.Input[dsl.Artifact], verdict: dsl.OutputPath(str)) -> dsl.ContainerSpec:  # type: ignore[valid-type]
        return spec("scan")

    @dsl.container_component
    def refusing_scan(model: dsl.Input[dsl.Artifact], verdict: dsl.OutputPath(str)) -> dsl.ContainerSpec:  # type: ignore[valid-type]
        return spec("scan", "refuse")

    @dsl.container_component
    def deploy(model: dsl.Input[dsl.Model], deployed: dsl.Output[dsl.Artifact]) -> dsl.ContainerSpec:
        return spec("deploy")

    return Naive(scan, refusing_scan, deploy)
