"""Judge the evidence by a policy, sign the verdict, release the model when it passed."""

from kfp import dsl

IMAGE = "registry.invalid/weighbridge/step@sha256:0000000000000000000000000000000000000000000000000000000000000000"
"""Set the digest of your copy of the step image."""


@dsl.container_component
def gate(
    verified: dsl.Output[dsl.Model],
    verdict: dsl.Output[dsl.Artifact],
    report: dsl.Output[dsl.Markdown],
    model: dsl.Input[dsl.Model],
    evidence: dsl.Input[dsl.Artifact],
    policy: str,
    trust: str,
    run: str = "",
    key: str = "/var/run/weighbridge/keys/verifier.key",
    passphrase_file: str = "/var/run/weighbridge/passphrase",
    name: str = "model",
) -> dsl.ContainerSpec:
    """Judge the evidence by a policy, sign the verdict, release the model when it passed.

    Args:
        verified: The model, released only when passed.
        verdict: The signed verdict, whatever it says.
        report: The report, for people.
        model: The model: a directory or one file.
        evidence: Directory of evidence.
        policy: What must hold.
        trust: Who may sign what.
        run: Id of the run; evidence of another run does not count.
        key: Private key of the verifier.
        passphrase_file: Passphrase: a file, or a directory of ROLE.
        name: What the model is called in evidence.
    """
    return dsl.ContainerSpec(
        image=IMAGE,
        command=["/usr/local/bin/weighbridge", "step", "gate"],
        args=["--executor-input", "{{$}}"],
    )
