"""Attack a model and measure what it withstands."""

from kfp import dsl

IMAGE = "registry.invalid/weighbridge/step@sha256:0000000000000000000000000000000000000000000000000000000000000000"
"""Set the digest of your copy of the step image."""


@dsl.container_component
def robustness_test(
    measured: dsl.Output[dsl.Artifact],
    model: dsl.Input[dsl.Model],
    data: dsl.Input[dsl.Dataset],
    run: str,
    epsilon: float = 0.1,
    queries: int = 1000,
    samples: int = 200,
    at_least: float = 0.0,
    confidence: float = 0.95,
) -> dsl.ContainerSpec:
    """Attack a model and measure what it withstands.

    Args:
        measured: What was measured, unsigned.
        model: The model: a directory or one file.
        data: Labelled examples: CSV, Parquet, Arrow, npz, npy or a folder.
        run: Id of the run; evidence of another run does not count.
        epsilon: Largest change, a share of the range.
        queries: Model calls an example.
        samples: Examples to attack.
        at_least: Accuracy that the policy asks for; 0: not told.
        confidence: Confidence that the policy asks for.
    """
    return dsl.ContainerSpec(
        image=IMAGE,
        command=["/usr/local/bin/weighbridge", "step", "robustness-test"],
        args=["--executor-input", "{{$}}"],
    )
