"""What Kubeflow Pipelines tells a container through ``{{$}}``, and what a container may tell back.

The message is ``ExecutorInput`` and ``ExecutorOutput`` of the pipeline specification
(https://github.com/kubeflow/pipelines/blob/master/api/v2alpha1/pipeline_spec.proto). A container that takes it behaves
the same under the local runner and under a backend.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from weighbridge import _json
from weighbridge._files import make_directory, write_atomically
from weighbridge._struct import Wire
from weighbridge.errors import ParseError, UsageError

MAX_EXECUTOR_INPUT: Final = 1024 * 1024
"""Largest message that is read; Linux passes at most 128 KiB in one argument anyway."""

MAX_ARTIFACTS: Final = 64
"""Most artifacts of one input or output."""

_MOUNTS: Final = {"gs://": "/gcs/", "minio://": "/minio/", "s3://": "/s3/", "oci://": "/oci/"}
"""Where the launcher puts the bytes of each kind of URI; see ``RemotePrefix`` of kfp.dsl."""

Scalar = str | int | float | bool | None


class ArtifactType(Wire, omit_defaults=True):
    """Which schema an artifact says that it has."""

    schema_title: str | None = None
    schema_uri: str | None = None
    instance_schema: str | None = None
    schema_version: str | None = None


class RuntimeArtifact(Wire, omit_defaults=True):
    """One artifact by URI. Its metadata is whatever an earlier step said: nothing here is decided by it."""

    name: str = ""
    type: ArtifactType | None = None
    uri: str = ""
    properties: dict[str, object] = msgspec.field(default_factory=dict)
    custom_properties: dict[str, object] = msgspec.field(default_factory=dict)
    metadata: dict[str, object] | None = None
    custom_path: str = ""

    @property
    def path(self) -> Path:
        """Return where its bytes are in this container.

        Raises:
            ParseError: For an URI that no launcher mounts.
        """
        if self.custom_path:
            return Path(self.custom_path)
        for scheme, mount in _MOUNTS.items():
            if self.uri.startswith(scheme):
                rest = self.uri.removeprefix(scheme)
                # The launcher unpacks an OCI artifact's models into a directory of this name.
                return Path(mount + rest.replace("/", "_"), "models") if scheme == "oci://" else Path(mount + rest)
        if self.uri.startswith("/"):
            return Path(self.uri)
        raise ParseError(f"the artifact {self.name!r} lies at {self.uri[: _json.MAX_QUOTED]!r}, which is no path here")


class ArtifactList(Wire):
    """The artifacts of one input or output."""

    artifacts: Annotated[tuple[RuntimeArtifact, ...], Meta(max_length=MAX_ARTIFACTS)] = ()


class OutputParameter(Wire):
    """Where the value of an output parameter goes."""

    output_file: str


class Inputs(Wire):
    """What a task is given."""

    parameter_values: dict[str, object] = msgspec.field(default_factory=dict)
    parameters: dict[str, object] = msgspec.field(default_factory=dict)
    artifacts: dict[str, ArtifactList] = msgspec.field(default_factory=dict)


class Outputs(Wire):
    """Where a task's results go."""

    parameters: dict[str, OutputParameter] = msgspec.field(default_factory=dict)
    artifacts: dict[str, ArtifactList] = msgspec.field(default_factory=dict)
    output_file: str = ""


class ExecutorInput(Wire):
    """One whole message."""

    inputs: Inputs = Inputs()
    outputs: Outputs = Outputs()

    @classmethod
    def parse(cls, text: str) -> ExecutorInput:
        """Read the message strictly.

        Raises:
            ParseError: For what is too large, not JSON, or has a field that is not known here.
            UsageError: When the engine did not put the message in place of ``{{$}}``.
        """
        if text.strip() == "{{$}}":
            raise UsageError(
                "the placeholder {{$}} was not replaced: this is no engine that knows it",
                remedy="give plain paths; see `weighbridge step --help`",
            )
        return _json.parse(text.encode(), cls, what="the executor input", max_bytes=MAX_EXECUTOR_INPUT)

    def input_path(self, name: str) -> Path | None:
        """Return where the only artifact of an input is, or nothing when the input was not given.

        Raises:
            ParseError: When there are several: which one was meant would be a guess.
        """
        return self._only(self.inputs.artifacts, name)

    def output_path(self, name: str) -> Path | None:
        """Return where the artifact of an output goes, with its directory made."""
        path = self._only(self.outputs.artifacts, name)
        if path is not None:
            make_directory(path.parent)
        return path

    def parameter(self, name: str) -> object:
        """Return a parameter's value, or nothing when it was not given."""
        return self.inputs.parameter_values.get(name)

    def write_output(self, metadata: dict[str, dict[str, Scalar]]) -> None:
        """Write ``executor_output.json`` with the metadata of every output that was written.

        An output that is not named keeps no trace, so that a runner records none of it.

        Raises:
            UsageError: When the message does not say where.
            OutputError: When it cannot be written.
        """
        if not self.outputs.output_file:
            raise UsageError("the executor input does not say where executor_output.json goes")
        artifacts = {}
        for name, found in metadata.items():
            template = self.outputs.artifacts[name].artifacts[0]
            artifacts[name] = ArtifactList(artifacts=(msgspec.structs.replace(template, metadata=dict(found)),))
        target = Path(self.outputs.output_file)
        make_directory(target.parent)
        write_atomically(target, _json.dumps({"artifacts": artifacts}))

    @staticmethod
    def _only(artifacts: dict[str, ArtifactList], name: str) -> Path | None:
        found = artifacts.get(name)
        if found is None or not found.artifacts:
            return None
        if len(found.artifacts) > 1:
            raise ParseError(f"{name} has {len(found.artifacts)} artifacts; expected one")
        return found.artifacts[0].path
