"""Measure what a model gives away about its training data."""

from kfp import dsl

IMAGE = "registry.invalid/weighbridge/step@sha256:0000000000000000000000000000000000000000000000000000000000000000"
"""Set the digest of your copy of the step image."""


@dsl.container_component
def leakage_test(
    measured: dsl.Output[dsl.Artifact],
    model: dsl.Input[dsl.Model],
    members: dsl.Input[dsl.Dataset],
    non_members: dsl.Input[dsl.Dataset],
    run: str,
    fpr: float = 0.01,
    confidence: float = 0.95,
) -> dsl.ContainerSpec:
    """Measure what a model gives away about its training data.

    Args:
        measured: What was measured, unsigned.
        model: The model: a directory or one file.
        members: Labelled rows that were trained on; formats as of data.
        non_members: Labelled rows that were not trained on.
        run: Id of the run; evidence of another run does not count.
        fpr: False-positive rate that the policy asks about.
        confidence: Confidence that the policy asks for.
    """
    return dsl.ContainerSpec(
        image=IMAGE,
        command=["/usr/local/bin/weighbridge", "step", "leakage-test"],
        args=["--executor-input", "{{$}}"],
    )
