"""Verify a verdict about these bytes and release the model."""

from kfp import dsl

IMAGE = "registry.invalid/weighbridge/step@sha256:0000000000000000000000000000000000000000000000000000000000000000"
"""Set the digest of your copy of the step image."""


@dsl.container_component
def verify_model(
    verified: dsl.Output[dsl.Model],
    model: dsl.Input[dsl.Model],
    verdict: dsl.Input[dsl.Artifact],
    trust: str,
    policy: str = "",
) -> dsl.ContainerSpec:
    """Verify a verdict about these bytes and release the model.

    Args:
        verified: The model, released only when passed.
        model: The model: a directory or one file.
        verdict: The verdict that the gate wrote.
        trust: Who may sign what.
        policy: Demand that the verdict was judged by this.
    """
    return dsl.ContainerSpec(
        image=IMAGE,
        command=["/usr/local/bin/weighbridge", "step", "verify-model"],
        args=["--executor-input", "{{$}}"],
    )
