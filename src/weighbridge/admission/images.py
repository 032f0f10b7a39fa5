"""References to images, and the models that a pod mounts as image volumes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from weighbridge.admission._reasons import Reason, ReasonCode
from weighbridge.admission.accelerators import shown
from weighbridge.admission.pods import Pod

_PINNED: Final = re.compile(r"[^@\s]+@sha256:(?P<hex>[0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class ModelImage:
    """A model that a pod mounts: the volume, the reference and the manifest's sha256 in hex."""

    volume: str
    reference: str
    manifest: str
    path: str


def manifest_of(reference: str) -> str | None:
    """Return the sha256 of the manifest that a reference names; nothing when it names none, or by another algorithm."""
    match = _PINNED.fullmatch(reference)
    return None if match is None else match["hex"]


def model_images(pod: Pod) -> tuple[tuple[ModelImage, ...], tuple[Reason, ...]]:
    """Return every image volume with a digest, and a reason for each one without.

    Every image volume is a model: what is inside one is not known before it is judged.
    """
    found: list[ModelImage] = []
    reasons: list[Reason] = []
    for index, volume in enumerate(pod.spec.volumes):
        if "image" not in volume:
            continue
        source, name = volume["image"], str(volume.get("name", ""))
        reference = source.get("reference", "") if isinstance(source, dict) else ""
        path = pod.path(f"spec.volumes[{index}].image.reference")
        manifest = manifest_of(reference) if isinstance(reference, str) else None
        if manifest is None:
            reasons.append(
                Reason(
                    ReasonCode.MODEL_NOT_PINNED,
                    f"the volume {shown(name)} mounts the model {shown(str(reference))} without a digest, and a tag "
                    "can name other bytes tomorrow",
                    "write the reference as NAME@sha256:DIGEST, as `weighbridge push` prints it",
                    path,
                )
            )
        else:
            found.append(ModelImage(volume=name, reference=str(reference), manifest=manifest, path=path))
    return tuple(found), tuple(reasons)
