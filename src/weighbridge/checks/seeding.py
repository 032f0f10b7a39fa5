"""Give a statistic its seed before a worker starts, from what it will be measured on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from typing import Final

import msgspec

from weighbridge._files import open_regular
from weighbridge.checks.interface import CheckRequest, LeakageOptions, RobustnessOptions
from weighbridge.errors import InputError
from weighbridge.evidence.inputs import MAX_INPUT_BYTES
from weighbridge.evidence.measurements import Input, InputRole
from weighbridge.evidence.record import Seed, SeedSource
from weighbridge.evidence.seeds import amounts_of, seed_from_digests, seed_of_platform
from weighbridge.model.digest import Digest

_CHUNK: Final = 1 << 20


def seeded(request: CheckRequest, *, model: Digest, secret: bytes | None) -> tuple[CheckRequest, Seed | None]:
    """Return the request with its seed filled in, and where the seed is from; a fact has none.

    A seed that stands in the request is its asker's. An input that is exchanged before the worker reads it has another
    digest than the seed was made from, which the gate finds out. One that cannot be read has no seed.

    Raises:
        UsageError: When the secret is too short to be one.
    """
    options = request.options
    if not isinstance(options, (RobustnessOptions, LeakageOptions)):
        return request, None
    if options.seed is not None:
        return request, Seed(value=options.seed, source=SeedSource.ASKER)
    try:
        inputs = tuple(_inputs(options))
    except InputError:
        # The check itself says what is wrong with its input; what has no seed does not count.
        return request, None
    amounts = amounts_of(msgspec.structs.asdict(options))
    if secret is None:
        seed = seed_from_digests(request.check, model=model, inputs=inputs, amounts=amounts)
    else:
        seed = seed_of_platform(request.check, model=model, inputs=inputs, secret=secret, amounts=amounts)
    filled = msgspec.structs.replace(options, seed=seed.value)
    return msgspec.structs.replace(request, options=filled), seed


def _inputs(options: RobustnessOptions | LeakageOptions) -> Iterator[Input]:
    match options:
        case RobustnessOptions(data=data):
            yield _input(data, InputRole.TEST)
        case LeakageOptions(members=members, non_members=others):
            yield _input(members, InputRole.MEMBERS)
            yield _input(others, InputRole.NON_MEMBERS)


def _input(path: str, role: InputRole) -> Input:
    name = os.path.basename(path)
    checksum, size = hashlib.sha256(), 0
    try:
        with open_regular(path) as stream:
            while chunk := stream.read(_CHUNK):
                checksum.update(chunk)
                size += len(chunk)
                if size > MAX_INPUT_BYTES:
                    raise InputError(
                        f"{name} has more than {MAX_INPUT_BYTES} bytes", remedy="give a file with fewer examples"
                    )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"{name} cannot be read: {reason}", remedy="check the path") from None
    return Input(name=name, sha256=checksum.hexdigest(), rows=0, role=role)
