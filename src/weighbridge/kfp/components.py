"""The steps as components of Kubeflow Pipelines, from the same table as the command line."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from typing import Any, Final

from kfp import dsl
from kfp.dsl.base_component import BaseComponent

from weighbridge.errors import UsageError
from weighbridge.pipelines.spec import STEPS, Input, Kind, Need, Step

COMMAND: Final = "/usr/local/bin/weighbridge"
"""The program in the step image; named in full, so that no ``PATH`` decides what runs."""

_PINNED: Final = re.compile(r"[^@\s]+@sha256:[0-9a-f]{64}")
_TYPES: Final[dict[str, Any]] = {"model": dsl.Model, "verified": dsl.Model, "report": dsl.Markdown}
_DATASETS: Final = ("data", "members", "non_members")
_PARAMETERS: Final[dict[Kind, type]] = {Kind.DOCUMENT: str, Kind.TEXT: str, Kind.INTEGER: int, Kind.NUMBER: float}
_NOTHING: Final[dict[Kind, object]] = {Kind.DOCUMENT: "", Kind.TEXT: "", Kind.INTEGER: 0, Kind.NUMBER: 0.0}


@dataclass(frozen=True, slots=True)
class Unpinned:
    """An image by tag. Whoever can move the tag decides what judges; only for a local engine, which has no digests."""

    reference: str


def component(name: str, *, image: str | Unpinned) -> BaseComponent:
    """Return one step as a component that runs the image with this digest.

    Raises:
        UsageError: For a step that does not exist, or an image without digest.
    """
    if name not in STEPS:
        raise UsageError(f"there is no step {name!r}", remedy=f"choose one of {', '.join(STEPS)}")
    step, reference = STEPS[name], _reference(image)

    def definition(*_: object, **__: object) -> dsl.ContainerSpec:
        return dsl.ContainerSpec(
            image=reference, command=[COMMAND, "step", step.name], args=["--executor-input", "{{$}}"]
        )

    parameters = _signature(step)
    definition.__name__ = definition.__qualname__ = step.name.replace("-", "_")
    definition.__doc__ = _documentation(step)
    definition.__annotations__ = {item.name: item.annotation for item in parameters}
    # The library reads the interface from the signature, as it would of a function written by hand.
    definition.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    made: BaseComponent = dsl.container_component(definition)
    return made


def components(*, image: str | Unpinned) -> dict[str, BaseComponent]:
    """Return every step as a component, by name."""
    return {name: component(name, image=image) for name in STEPS}


def _reference(image: str | Unpinned) -> str:
    if isinstance(image, Unpinned):
        return image.reference
    if _PINNED.fullmatch(image) is None:
        raise UsageError(
            f"the image {image!r} has no digest; whoever can move its tag would decide what judges",
            remedy="name it as NAME@sha256:DIGEST",
        )
    return image


def _signature(step: Step) -> list[inspect.Parameter]:
    found = [
        inspect.Parameter(
            output.name,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            annotation=dsl.Output[_TYPES.get(output.name, dsl.Artifact)],
        )
        for output in step.outputs
    ]
    required = [each for each in step.inputs if each.need is Need.REQUIRED]
    optional = [each for each in step.inputs if each.need is Need.OPTIONAL]
    return found + [_parameter(each) for each in (*required, *optional)]


def _parameter(each: Input) -> inspect.Parameter:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    if each.kind is Kind.PATH:
        artifact = dsl.Dataset if each.name in _DATASETS else _TYPES.get(each.name, dsl.Artifact)
        default = inspect.Parameter.empty if each.need is Need.REQUIRED else None
        return inspect.Parameter(each.name, kind, annotation=dsl.Input[artifact], default=default)
    if each.need is Need.REQUIRED:
        return inspect.Parameter(each.name, kind, annotation=_PARAMETERS[each.kind])
    nothing = _NOTHING[each.kind] if each.default is None else each.default
    return inspect.Parameter(each.name, kind, annotation=_PARAMETERS[each.kind], default=nothing)


def _documentation(step: Step) -> str:
    lines = [step.help, "", "Args:"]
    lines += [f"    {output.name}: {output.help}" for output in step.outputs]
    lines += [f"    {each.name}: {each.help}" for each in step.inputs]
    return "\n".join(lines)
