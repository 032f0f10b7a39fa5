"""The first half of a check: examine a model where there is no key, and hand over what was measured."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from weighbridge.checks.interface import CheckRequest, Options
from weighbridge.checks.run import run_check
from weighbridge.clock import Clock
from weighbridge.errors import UsageError
from weighbridge.model.view import private_view
from weighbridge.pipelines.handover import Handover

KEY_PLACES: Final = (Path("/var/run/weighbridge/keys"), Path("/var/run/weighbridge/passphrase"))
"""Where the step image expects keys; nothing may be there in a container that opens a model."""

UNSIGNED: Final = "unsigned"
"""Stands where a nonce would; the signer sets the real one."""


def measure(
    model: Path, options: Options, *, run: str, clock: Clock, key_places: Iterable[Path] = KEY_PLACES
) -> Handover:
    """Examine a model in a confined worker and return what may be handed over.

    Raises:
        UsageError: When a key is within reach, or an option is out of range.
        ModelError: When the model has no digest, or changed while it was examined.
        WorkerError: When no worker can be started and confined at all.
    """
    for place in key_places:
        if place.exists():
            raise UsageError(
                f"{place} is there, in the container that opens the model",
                remedy="mount keys only into the containers of sign-model and gate",
            )
    request = CheckRequest(model=str(model.absolute()), options=options)
    with private_view(model) as view:
        record = run_check(request, view=view, clock=clock, nonce=UNSIGNED)
        view.require_source_unchanged()
    return Handover.of(record, model=view.digest, run=run)
