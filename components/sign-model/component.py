"""Sign what checks measured. The model is hashed and never opened."""

from kfp import dsl

IMAGE = "registry.invalid/weighbridge/step@sha256:0000000000000000000000000000000000000000000000000000000000000000"
"""Set the digest of your copy of the step image."""


@dsl.container_component
def sign_model(
    evidence: dsl.Output[dsl.Artifact],
    model: dsl.Input[dsl.Model],
    run: str,
    dependency_audit: dsl.Input[dsl.Artifact] = None,
    model_scan: dsl.Input[dsl.Artifact] = None,
    robustness: dsl.Input[dsl.Artifact] = None,
    leakage: dsl.Input[dsl.Artifact] = None,
    signatures: dsl.Input[dsl.Artifact] = None,
    policy: str = "",
    keys: str = "/var/run/weighbridge/keys",
    key: str = "",
    passphrase_file: str = "/var/run/weighbridge/passphrase",
    name: str = "model",
) -> dsl.ContainerSpec:
    """Sign what checks measured. The model is hashed and never opened.

    Args:
        evidence: Signed evidence: a directory of bundles.
        model: The model: a directory or one file.
        run: Id of the run; evidence of another run does not count.
        dependency_audit: What the dependency audit measured.
        model_scan: What the model scan measured.
        robustness: What the robustness test measured.
        leakage: What the leakage test measured.
        signatures: Signed inputs: a bundle, or a directory of them.
        policy: With --keys: says which role signs a check.
        keys: Directory with ROLE.key for every role.
        key: Private key file.
        passphrase_file: Passphrase: a file, or a directory of ROLE.
        name: What the model is called in evidence.
    """
    return dsl.ContainerSpec(
        image=IMAGE,
        command=["/usr/local/bin/weighbridge", "step", "sign-model"],
        args=["--executor-input", "{{$}}"],
    )
