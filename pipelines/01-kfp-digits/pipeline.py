"""Prepare handwritten digits, train on them, secure the model, deploy what the gate released.

Compile it for a backend::

    python pipelines/01-kfp-digits/pipeline.py --image NAME@sha256:DIGEST --trust trust.yaml -o pipeline.yaml

The first two tasks use the same image, since it has scikit-learn; yours will use your own. The data come from a task
of their own and the policy names them by digest: a training task that made its own test data could pass any test.
"""

import argparse
from pathlib import Path
from typing import Any

from kfp import dsl
from kfp.compiler import Compiler

from weighbridge.kfp import Data, Secrets, Unpinned, secure

HERE = Path(__file__).resolve().parent
PREPARE = (HERE / "prepare.py").read_text(encoding="utf-8")
TRAIN = (HERE / "train.py").read_text(encoding="utf-8")
DEPLOY = """
import json, os, sys
message = json.loads(sys.argv[1])
model = message["inputs"]["artifacts"]["model"]["artifacts"][0]["uri"]
said = message["outputs"]["artifacts"]["deployed"]["artifacts"][0]
os.makedirs(os.path.dirname(said["uri"]), exist_ok=True)
open(said["uri"], "w").write("serving " + ", ".join(sorted(os.listdir(model))))
out = message["outputs"]["outputFile"]
json.dump({"artifacts": {"deployed": {"artifacts": [said]}}}, open(out, "w"))
"""
"""Stands for your deployment: it says which files it was given."""


def digits(
    *,
    image: str | Unpinned,
    trust: Path,
    policy: Path = HERE / "policy.yaml",
    secrets: Secrets | None = None,
    prepare_script: str = PREPARE,
    train_script: str = TRAIN,
) -> Any:  # noqa: ANN401 - the library has no public type for a pipeline
    """Return the pipeline."""
    reference = image.reference if isinstance(image, Unpinned) else image

    def script(text: str) -> dsl.ContainerSpec:
        return dsl.ContainerSpec(image=reference, command=["/usr/bin/python3", "-I", "-c", text], args=["{{$}}"])

    @dsl.container_component
    def prepare(
        requirements: dsl.Output[dsl.Artifact],
        members: dsl.Output[dsl.Dataset],
        non_members: dsl.Output[dsl.Dataset],
        test: dsl.Output[dsl.Dataset],
    ) -> dsl.ContainerSpec:
        return script(prepare_script)

    @dsl.container_component
    def train(model: dsl.Output[dsl.Model], members: dsl.Input[dsl.Dataset]) -> dsl.ContainerSpec:
        return script(train_script)

    @dsl.container_component
    def deploy(model: dsl.Input[dsl.Model], deployed: dsl.Output[dsl.Artifact]) -> dsl.ContainerSpec:
        return script(DEPLOY)

    @dsl.pipeline(name="digits")
    def pipeline() -> None:
        prepared = prepare()
        trained = train(members=prepared.outputs["members"])
        verified = secure(
            trained.outputs["model"],
            policy=policy,
            trust=trust,
            image=image,
            secrets=secrets,
            data=Data(
                requirements=prepared.outputs["requirements"],
                test=prepared.outputs["test"],
                members=prepared.outputs["members"],
                non_members=prepared.outputs["non_members"],
            ),
        )
        deploy(model=verified)

    return pipeline


def main() -> None:
    """Compile the pipeline."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--image", required=True, help="the step image, by digest")
    parser.add_argument("--trust", required=True, type=Path, help="who may sign what")
    parser.add_argument("-o", "--output", required=True, help="the compiled pipeline")
    chosen = parser.parse_args()
    Compiler().compile(digits(image=chosen.image, trust=chosen.trust), chosen.output)


if __name__ == "__main__":
    main()
