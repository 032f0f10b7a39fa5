"""Scan a model for code and for what cannot be judged."""

from kfp import dsl

IMAGE = "registry.invalid/weighbridge/step@sha256:0000000000000000000000000000000000000000000000000000000000000000"
"""Set the digest of your copy of the step image."""


@dsl.container_component
def model_scan(
    measured: dsl.Output[dsl.Artifact],
    model: dsl.Input[dsl.Model],
    run: str,
) -> dsl.ContainerSpec:
    """Scan a model for code and for what cannot be judged.

    Args:
        measured: What was measured, unsigned.
        model: The model: a directory or one file.
        run: Id of the run; evidence of another run does not count.
    """
    return dsl.ContainerSpec(
        image=IMAGE,
        command=["/usr/local/bin/weighbridge", "step", "model-scan"],
        args=["--executor-input", "{{$}}"],
    )
