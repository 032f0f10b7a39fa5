"""Train on handwritten digits, secure the model, deploy what the gate released.

Compile it for a backend::

    python pipelines/01-kfp-digits/pipeline.py --image NAME@sha256:DIGEST --trust trust.yaml -o pipeline.yaml

The training task uses the same image, since it has scikit-learn; yours will use your own.
"""

import argparse
from pathlib import Path
from typing import Any

from kfp import dsl
from kfp.compiler import Compiler

from weighbridge.kfp import Data, Secrets, Unpinned, secure

HERE = Path(__file__).resolve().parent
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
    train_script: str = TRAIN,
) -> Any:  # noqa: ANN401 - the library has no public type for a pipeline
    """Return the pipeline."""
    reference = image.reference if isinstance(image, Unpinned) else image

    @dsl.container_component
    def train(
        model: dsl.Output[dsl.Model],
        requirements: dsl.Output[dsl.Artifact],
        members: dsl.Output[dsl.Dataset],
        non_members: dsl.Output[dsl.Dataset],
        test: dsl.Output[dsl.Dataset],
    ) -> dsl.ContainerSpec:
        return dsl.ContainerSpec(
            image=reference, command=["/usr/bin/python3", "-I", "-c", train_script], args=["{{$}}"]
        )

    @dsl.container_component
    def deploy(model: dsl.Input[dsl.Model], deployed: dsl.Output[dsl.Artifact]) -> dsl.ContainerSpec:
        return dsl.ContainerSpec(image=reference, command=["/usr/bin/python3", "-I", "-c", DEPLOY], args=["{{$}}"])

    @dsl.pipeline(name="digits")
    def pipeline() -> None:
        trained = train()
        verified = secure(
            trained.outputs["model"],
            policy=policy,
            trust=trust,
            image=image,
            secrets=secrets,
            data=Data(
                requirements=trained.outputs["requirements"],
                test=trained.outputs["test"],
                members=trained.outputs["members"],
                non_members=trained.outputs["non_members"],
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
