"""What the container that opened a model hands to the container that signs.

It is read as hostile input: whoever made the model may have taken over the container that opened it. So it can carry
measurements and nothing that gives them weight. There is no subject, no time, no signer and no verdict in it; the
signer hashes the model itself, looks at its own clock, and holds the key.

``examined`` and ``run`` are compared and never copied: a handover of other bytes, or one that an engine took from its
cache for another run, is refused. A forger gains nothing by filling them in.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from weighbridge import _json
from weighbridge._files import read_limited, write_atomically
from weighbridge._struct import Wire
from weighbridge.checks.interface import MAX_FINDINGS
from weighbridge.errors import ParseError, VerificationError
from weighbridge.evidence.measurements import Measurements
from weighbridge.evidence.record import (
    CheckName,
    CheckRecord,
    Confinement,
    ExaminedFile,
    Finding,
    Name,
    Seed,
    Tool,
    Undecided,
    View,
)
from weighbridge.model.digest import Digest

MAX_HANDOVER_BYTES: Final = 24 * 1024 * 1024
"""Largest handover that is read; a worker may not answer more either."""

MAX_FILES: Final = 150_000
"""Most files of a model that a handover may name; about as many fit into its size."""

MAX_PARAMETERS: Final = 64
"""Most options that a handover may name."""

MAX_LIMITS: Final = 64
"""Most resource limits that a handover may name."""

_NAMED: Final = 5
_NAME_SHOWN: Final = 200

RUN_PATTERN: Final = "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"
"""What may name a run of a pipeline: engines use UUIDs and Kubernetes names."""


class Handover(Wire, omit_defaults=True):
    """The measurements of one check, without anything that would make them evidence."""

    check: CheckName
    run: Annotated[str, Meta(pattern=RUN_PATTERN)]
    examined: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    tool: Tool
    confinement: Confinement
    parameters: Annotated[dict[Name, str | int | float | bool], Meta(max_length=MAX_PARAMETERS)]
    findings: Annotated[tuple[Finding, ...], Meta(max_length=MAX_FINDINGS)] = ()
    undecided: Annotated[tuple[Undecided, ...], Meta(max_length=MAX_FINDINGS)] = ()
    measurements: Measurements | None = None
    seed: Seed | None = None
    view: View | None = None
    files: Annotated[tuple[ExaminedFile, ...], Meta(max_length=MAX_FILES)] = ()

    @classmethod
    def of(cls, record: CheckRecord, *, model: Digest, run: str) -> Handover:
        """Take out of a record what may be handed over."""
        handover = cls(
            check=record.check,
            run=run,
            examined=model.hex,
            tool=record.tool,
            confinement=record.confinement,
            parameters=record.parameters,
            findings=record.findings,
            undecided=record.undecided,
            measurements=record.measurements,
            seed=record.seed,
            view=record.view,
            files=record.files,
        )
        return cls.parse(_json.dumps(handover), what="the handover")

    @classmethod
    def parse(cls, data: bytes, *, what: str) -> Handover:
        """Read a handover strictly.

        Raises:
            ParseError: For anything but strict JSON of this shape, with measurements of its own check or a reason
                why there are none.
        """
        try:
            # A cheap first look: the strict parser builds every object before it sees that the shape is wrong.
            msgspec.json.decode(data[: MAX_HANDOVER_BYTES + 1], type=cls)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ParseError(f"{what} is not acceptable: {str(error)[: _json.MAX_QUOTED]}") from None
        handover = _json.parse(data, cls, what=what, max_bytes=MAX_HANDOVER_BYTES)
        if len(handover.confinement.limits) > MAX_LIMITS:
            raise ParseError(f"{what} names more than {MAX_LIMITS} resource limits")
        if handover.measurements is None:
            if not handover.undecided:
                raise ParseError(f"{what} has no measurements and does not say why")
        elif str(handover.measurements.__struct_config__.tag) != handover.check.value:
            measured = handover.measurements.__struct_config__.tag
            raise ParseError(f"{what} is of {handover.check} and has measurements of {measured}")
        return handover

    @classmethod
    def read(cls, path: Path, *, check: CheckName) -> Handover:
        """Read the handover of one check from a file.

        Raises:
            InputError: When the file cannot be read or is too large.
            ParseError: When it is no handover, or one of another check.
        """
        handover = cls.parse(read_limited(path, limit=MAX_HANDOVER_BYTES, what="the handover"), what=str(path))
        if handover.check is not check:
            # The place says which check it is of: one check's container must not speak for another.
            raise ParseError(f"{path} should be of {check}, and it is of {handover.check}")
        return handover

    def write(self, path: Path) -> bytes:
        """Write it whole and return the bytes.

        Raises:
            OutputError: When it cannot be written.
        """
        data = _json.dumps(self)
        write_atomically(path, data)
        return data

    def require(self, *, model: Digest, files: Sequence[tuple[str, str]], run: str, tool: Tool) -> None:
        """Return when these are measurements of this model, made in this run, by this version.

        ``files`` are name and sha256 of each file as the signer read it: the files that the check says it read must be
        the same.

        Raises:
            VerificationError: Otherwise.
        """
        if self.examined != model.hex:
            raise VerificationError(
                f"the {self.check} examined dirHash:{self.examined}; the model that is to be signed for is {model}",
                remedy="give both steps the same model, and see what changed it between them",
            )
        self._require_files(files)
        if self.run != run:
            raise VerificationError(
                f"the {self.check} was done in run {self.run}, not in {run}: the engine may have taken it from a cache",
                remedy="turn caching off for the security steps and run the pipeline again",
            )
        if self.tool != tool:
            raise VerificationError(
                f"the {self.check} was done by {self.tool.name} {self.tool.version}, "
                f"and {tool.name} {tool.version} is to sign",
                remedy="run all steps with one image",
            )

    def _require_files(self, files: Sequence[tuple[str, str]]) -> None:
        examined = tuple((file.path, file.sha256) for file in self.files)
        if examined == tuple(files):
            return
        if not examined:
            raise VerificationError(
                f"the {self.check} does not say which files it read",
                remedy="run all steps with one image",
            )
        known, read = dict(files), dict(examined)
        differ = sorted(name for name in {**known, **read} if known.get(name) != read.get(name))
        named = (
            ", ".join(repr(name[:_NAME_SHOWN]) for name in differ[:_NAMED]) or "they are listed twice or out of order"
        )
        raise VerificationError(
            f"the {self.check} read other files than the model that is to be signed for has: {named}",
            remedy="give both steps the same model, and see what changed it between them",
        )
