"""Find the pods that a manifest makes.

The kinds of Kubernetes are known by name. Everything else (an InferenceService, a JobSet, a Workflow) is searched for
parts that have the shape of a pod or of its containers, because a new kind that embeds one comes every month. What a
controller adds later is not in a manifest: the cluster decides again about the pod that really comes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from weighbridge.admission.pods import CONTAINER_LISTS, Pod
from weighbridge.errors import ParseError

MAX_PODS: Final = 1000
"""Most pods that one file may make."""

KNOWN: Final[dict[str, tuple[str, ...]]] = {
    "Pod": (),
    "PodTemplate": ("template",),
    "ReplicationController": ("spec", "template"),
    "Deployment": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
"""Where the kinds of Kubernetes hold their pod."""

_KNOWN_GROUPS: Final = frozenset({"v1", "apps/v1", "batch/v1"})
_MODEL_SOURCES: Final = ("storageUri", "storage", "modelUri", "model_uri")
_LONE_CONTAINERS: Final = ("container", "script", "model", "sidecar", "initContainer")
_CONTAINER_FIELDS: Final = frozenset(
    {"image", "resources", "env", "envFrom", "securityContext", "volumeMounts", *_MODEL_SOURCES}
)
_OPAQUE: Final = frozenset({"podSpecPatch"})
_MORE_LISTS: Final = ("sidecars",)

Path = tuple[str | int, ...]
Plain = dict[str, object]


@dataclass(frozen=True, slots=True)
class FoundPod:
    """A pod that a manifest makes: of which object, where in the document, and the namespace that the object names.

    ``exact`` says that it stands there as a pod or template; otherwise it was put together from parts.
    """

    kind: str
    name: str
    namespace: str
    path: Path
    pod: Pod
    exact: bool


def find_pods(document: object, *, what: str) -> tuple[FoundPod, ...]:
    """Return every pod that a document makes.

    Raises:
        ParseError: When the document is no object of Kubernetes, a part of a pod is malformed, or there are too many.
    """
    found: list[FoundPod] = []
    for item in _search(document, (), what):
        found.append(item)
        if len(found) > MAX_PODS:
            raise ParseError(f"{what} makes more than {MAX_PODS} pods", remedy="divide the file")
    return tuple(found)


def render(path: Path) -> str:
    """Write a path as a person would."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def _search(document: object, path: Path, what: str) -> Iterator[FoundPod]:
    if not isinstance(document, dict) or not isinstance(document.get("kind"), str):
        where = f" at {render(path)}" if path else ""
        raise ParseError(f"{what}{where} is no object of Kubernetes: it has no kind", remedy="give manifests")
    kind = document["kind"]
    if kind.endswith("List") and isinstance(document.get("items"), list):
        for index, item in enumerate(document["items"]):
            yield from _search(item, (*path, "items", index), what)
        return
    place = KNOWN.get(kind) if document.get("apiVersion") in _KNOWN_GROUPS else None
    if place is not None:
        yield _known(document, (*path, *place), path, what)
        return
    owner = _Owner(document, path, what)
    yield from _shaped(document, path, owner)


def _known(document: Plain, place: Path, path: Path, what: str) -> FoundPod:
    template: object = document
    for step in place[len(path) :]:
        template = template.get(step) if isinstance(template, dict) else None
    if not isinstance(template, dict):
        raise ParseError(f"{what}: the {document['kind']} has no pod at {render(place)}", remedy="correct the manifest")
    return _Owner(document, path, what).found(template, place, exact=True)


@dataclass(frozen=True, slots=True)
class _Owner:
    """The object that a pod is found in."""

    document: Plain
    path: Path
    what: str

    def found(self, template: Plain, place: Path, *, exact: bool) -> FoundPod:
        metadata = self.document.get("metadata")
        names = metadata if isinstance(metadata, dict) else {}
        # A status in a file is a claim of whoever wrote it; the API server clears it.
        plain = {key: value for key, value in template.items() if key in ("metadata", "spec")}
        return FoundPod(
            kind=str(self.document["kind"]),
            name=str(names.get("name") or names.get("generateName") or ""),
            namespace=str(names.get("namespace") or ""),
            path=place,
            pod=Pod.parse(plain, what=f"{self.what}: {render(place) or 'the pod'}", prefix=render(place)),
            exact=exact,
        )

    def volumes(self, part: Plain) -> list[object]:
        """Return the volumes that a part of the object has: its own, and those for all, as a Workflow lists them."""
        spec = self.document.get("spec")
        parts = [part] if spec is part else [spec, part]
        found = [item.get("volumes") for item in parts if isinstance(item, dict)]
        return [volume for volumes in found if isinstance(volumes, list) for volume in volumes]


def _shaped(value: object, path: Path, owner: _Owner) -> Iterator[FoundPod]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _shaped(item, (*path, index), owner)
    if not isinstance(value, dict):
        return
    for key in _OPAQUE & value.keys():
        raise ParseError(
            f"{owner.what}: {render((*path, key))} is text that a controller turns into part of a pod, so what the pod "
            "will be is not known here",
            remedy="write the part out where it belongs; the cluster decides about the pod that comes of it",
        )
    spec = value.get("spec")
    if isinstance(spec, dict) and _is_pod_spec(spec) and "kind" not in value:
        yield owner.found(value, path, exact=True)
        return
    if _is_pod_spec(value) or _lone_containers(value):
        yield owner.found({"spec": _put_together(value, owner), **_metadata(value)}, path, exact=False)
        # Beside its containers, such a part may hold others: a predictor has a worker, a template has steps.
        rest = {key: item for key, item in value.items() if key not in _consumed(value)}
        yield from _shaped_items(rest, path, owner)
        return
    yield from _shaped_items(value, path, owner)


def _shaped_items(value: Plain, path: Path, owner: _Owner) -> Iterator[FoundPod]:
    for key, item in value.items():
        yield from _shaped(item, (*path, key), owner)


def _is_pod_spec(value: Plain) -> bool:
    return any(_container_list(value.get(name)) for name in CONTAINER_LISTS)


def _container_list(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _lone_containers(value: Plain) -> dict[str, Plain]:
    found: dict[str, Plain] = {}
    for key in _LONE_CONTAINERS:
        item = value.get(key)
        if isinstance(item, dict) and _CONTAINER_FIELDS & item.keys():
            found[key] = item
    return found


def _consumed(value: Plain) -> set[str]:
    return {*_lone_containers(value), *CONTAINER_LISTS, *_MORE_LISTS, "containerSet", "volumes"}


def _metadata(value: Plain) -> Plain:
    metadata = value.get("metadata")
    annotations = value.get("annotations")
    if isinstance(metadata, dict):
        return {"metadata": metadata}
    return {"metadata": {"annotations": annotations}} if isinstance(annotations, dict) else {}


def _put_together(value: Plain, owner: _Owner) -> Plain:
    lone = _lone_containers(value)
    container_set = value.get("containerSet")
    lists = [value.get("containers"), *(value.get(name) for name in _MORE_LISTS)]
    if isinstance(container_set, dict):
        lists.append(container_set.get("containers"))
    containers = [item for found in lists if isinstance(found, list) for item in found]
    containers += [{"name": key, **item} for key, item in lone.items()]
    volumes = owner.volumes(value)
    for part in (value, *lone.values()):
        # A source that a controller downloads from is a volume that nobody can bind.
        volumes += [{"name": key, key: part[key]} for key in _MODEL_SOURCES if key in part]
    return {**value, "containers": containers, "volumes": volumes}
