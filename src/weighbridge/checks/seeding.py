"""Give a statistic its seed before a worker starts, from what it will be measured on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from weighbridge.checks.data.source import digest_of
from weighbridge.checks.interface import CheckRequest, LeakageOptions, RobustnessOptions
from weighbridge.errors import InputError
from weighbridge.evidence.measurements import Input, InputRole
from weighbridge.evidence.record import Seed, SeedSource
from weighbridge.evidence.seeds import amounts_of, seed_from_digests, seed_of_platform
from weighbridge.model.digest import Digest


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
    return Input(name=os.path.basename(path), sha256=digest_of(Path(path)), rows=0, role=role)
