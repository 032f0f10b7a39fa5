"""The same answer as ``accelerators.find_ways``, as an expression for the API server's admission policies.

Every field is asked for as an optional one, so that a pod without it gives an answer and no error, and every list of
containers is bounded, so that the cost is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from weighbridge.admission.accelerators import MAX_CONTAINERS, AcceleratorRules, Entry, Names, joined, load_rules
from weighbridge.admission.pods import CONTAINER_LISTS

_OR: Final = "\n|| "


def accelerator_cel(subject: str = "object") -> str:
    """Return a CEL expression that is true when the pod ``subject`` can reach an accelerator.

    ``subject`` is ``object`` or ``oldObject``. Where a policy also sees requests without one of the two, it has to
    ask for the operation first.
    """
    rules = load_rules()
    parts = [
        f"{subject}.spec.?resourceClaims.orValue([]).size() > 0",
        f"!({_known_name(f'{subject}.spec.?runtimeClassName', rules.runtime_classes)})",
        f"!({_known_name(f'{subject}.spec.?schedulerName', rules.schedulers)})",
        f"({subject}.spec.?nodeName.orValue('') != '' && !{subject}.?status.?conditions.orValue([])"
        ".exists(s, s.type == 'PodScheduled' && s.status == 'True'))",
        f"{subject}.spec.?hostPID.orValue(false)",
        f"{subject}.metadata.?annotations.orValue({{}}).exists(k, {_any_start('k', rules.annotations)})",
        _resources(f"{subject}.spec.?resources", rules),
        f"{subject}.spec.?volumes.orValue([]).exists(v, {_volume('v', rules)})",
    ]
    for name in CONTAINER_LISTS:
        items = f"{subject}.spec.?{name}.orValue([])"
        parts.append(f"{items}.size() > {MAX_CONTAINERS}")
        parts.append(f"{items}.exists(c, {_container('c', rules)})")
    return _OR.join(parts)


def _container(container: str, rules: AcceleratorRules) -> str:
    capabilities = [name for entry in rules.capabilities for name in (entry.name, f"CAP_{entry.name}")]
    mounts = " || ".join(f"m.mountPath.contains('{entry.name}')" for entry in rules.mount_paths)
    parts = [
        _resources(f"{container}.?resources", rules),
        f"{container}.?securityContext.?privileged.orValue(false)",
        f"{container}.?securityContext.?capabilities.?add.orValue([])"
        f".exists(a, a.upperAscii() in {_list(capabilities)})",
        f"{container}.?env.orValue([]).exists(e, {_variable('e', rules)})",
        f"{container}.?volumeMounts.orValue([]).exists(m, {mounts})",
    ]
    return " || ".join(parts)


def _resources(subject: str, rules: AcceleratorRules) -> str:
    allowed = _allowed("k", rules.resources)
    parts = [f"{subject}.?claims.orValue([]).size() > 0"]
    parts += [f"{subject}.?{kind}.orValue({{}}).exists(k, !({allowed}))" for kind in ("limits", "requests")]
    return " || ".join(parts)


def _known_name(field: str, names: Names) -> str:
    return _allowed(f"{field}.orValue('')", names)


def _allowed(value: str, names: Names) -> str:
    found = [f"{value} in {_list(['', *_names(names.allowed)])}"]
    found += [f"{value}.startsWith('{entry.name}')" for entry in names.allowed_prefixes]
    return " || ".join(found)


def _variable(variable: str, rules: AcceleratorRules) -> str:
    environment = rules.environment
    chooses = [f"{variable}.name in {_list(_names(environment.names))}"]
    chooses += [f"{variable}.name.endsWith('{entry.name}')" for entry in environment.suffixes]
    return (
        f"({' || '.join(chooses)}) && !({variable}.name in {_list(_names(environment.allowed))}) && "
        f"(has({variable}.valueFrom) || !({variable}.?value.orValue('') in {_list(environment.inactive)}))"
    )


def _volume(volume: str, rules: AcceleratorRules) -> str:
    listed = [joined(entry.name.split("/")[1:]) for entry in rules.host_paths]
    above = sorted({above for path in listed for above in _above(path)})
    steps = f"{volume}.hostPath.path.split('/').filter(s, s != '' && s != '.')"
    return (
        f"has({volume}.hostPath) && ({volume}.hostPath.?type.orValue('') in {_list(_names(rules.host_path_types))} || "
        f"{steps}.exists(s, s == '..') || "
        f"['/' + {steps}.join('/') + '/'].exists(p, p in {_list(above)} || "
        f"{_list(listed)}.exists(l, p.startsWith(l))))"
    )


def _above(path: str) -> list[str]:
    """Return every path that contains this one; the root is written ``//``."""
    steps = path.strip("/").split("/")
    return [joined(steps[:count]) for count in range(len(steps))]


def _any_start(value: str, entries: Iterable[Entry]) -> str:
    return f"{_list(_names(entries))}.exists(p, {value}.startsWith(p))"


def _names(entries: Iterable[Entry]) -> list[str]:
    return [entry.name for entry in entries]


def _list(texts: Iterable[str]) -> str:
    quoted = ", ".join(f"'{text}'" for text in texts)
    return f"[{quoted}]"
