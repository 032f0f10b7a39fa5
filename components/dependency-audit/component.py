"""Audit dependencies of a model against advisories."""

from kfp import dsl

IMAGE = "registry.invalid/weighbridge/step@sha256:0000000000000000000000000000000000000000000000000000000000000000"
"""Set the digest of your copy of the step image."""


@dsl.container_component
def dependency_audit(
    measured: dsl.Output[dsl.Artifact],
    model: dsl.Input[dsl.Model],
    run: str,
    requirements: dsl.Input[dsl.Artifact] = None,
    lock: dsl.Input[dsl.Artifact] = None,
    advisories: dsl.Input[dsl.Artifact] = None,
) -> dsl.ContainerSpec:
    """Audit dependencies of a model against advisories.

    Args:
        measured: What was measured, unsigned.
        model: The model: a directory or one file.
        run: Id of the run; evidence of another run does not count.
        requirements: Requirements file.
        lock: Lock file.
        advisories: Advisory bundle; else the packaged snapshot.
    """
    return dsl.ContainerSpec(
        image=IMAGE,
        command=["/usr/local/bin/weighbridge", "step", "dependency-audit"],
        args=["--executor-input", "{{$}}"],
    )
