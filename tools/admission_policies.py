"""The admission policies that the API server itself evaluates, so that they hold while everything of ours is down.

One expression says which pods can reach an accelerator. It stands in the match conditions, so every other pod passes by
at the cost of one evaluation and meets no rule of ours.
"""

from __future__ import annotations

from typing import Any, Final

from weighbridge.admission.cel import accelerator_cel

GATE: Final = "weighbridge.dev/verified"
"""The scheduling gate."""

LABEL: Final = "weighbridge.dev/accelerator"
"""The label by which the controller finds the pods: an index, never a reason to trust."""

CONTROLLER: Final = "system:serviceaccount:weighbridge-system:weighbridge-controller"
"""The only user who may remove the gate."""

Manifest = dict[str, Any]

_API: Final = "admissionregistration.k8s.io/v1"
_MATCHED: Final = "can-reach-an-accelerator"
_EXEMPT: Final = "is-no-daemon-of-the-cluster-itself"
# A node may report the pods of its own files; the API server lets it create no others. Refusing the report would not
# stop such a pod, only hide it.
_MIRROR: Final = (
    "request.operation == 'CREATE' && 'system:nodes' in request.userInfo.?groups.orValue([]) && "
    "object.metadata.?annotations.orValue({}).exists(k, k == 'kubernetes.io/config.mirror')"
)
# The network and the proxy of a node are privileged, and without them the controller could not run to release them.
# Exempt are those that the DaemonSet controller makes, or a node reports, in kube-system alone, and only while they ask
# for no device.
_DAEMON: Final = (
    "request.operation == 'CREATE' && request.namespace == 'kube-system' &&\n"
    "(request.userInfo.username == 'system:serviceaccount:kube-system:daemon-set-controller' || "
    f"({_MIRROR})) &&\n"
    "object.spec.?resourceClaims.orValue([]).size() == 0 &&\n"
    "(object.spec.containers + object.spec.?initContainers.orValue([])).all(c,\n"
    "  [c.?resources.?limits.orValue({}), c.?resources.?requests.orValue({})].all(r, r.all(k, !k.contains('/'))))"
)
_WHO: Final = "pod ' + object.metadata.?name.orValue(object.metadata.?generateName.orValue('')) + '"


def index() -> list[Manifest]:
    """Return the policy that labels every pod that can reach an accelerator."""
    labels = f"Object{{metadata: Object.metadata{{labels: {{'{LABEL}': 'true'}}}}}}"
    return [*_mutating("weighbridge-index", [labels])]


def gate() -> list[Manifest]:
    """Return what holds pods: the policy that adds the gate, and the one that keeps it."""
    added = f"Object{{spec: Object.spec{{schedulingGates: [Object.spec.schedulingGates{{name: '{GATE}'}}]}}}}"
    # A pod with a node name cannot have a gate. It is left alone here, so that it meets the rule that says why.
    expression = f"object.spec.?nodeName.orValue('') != ''\n  ? Object{{}}\n  : {added}"
    return [
        *_mutating("weighbridge-gate", [expression]),
        *_validating(
            "weighbridge-gate",
            variables={
                "gated": f"object.spec.?schedulingGates.orValue([]).exists(g, g.name == '{GATE}')",
                "wasGated": "request.operation == 'UPDATE' && "
                f"oldObject.spec.?schedulingGates.orValue([]).exists(g, g.name == '{GATE}')",
                "mirror": _MIRROR,
            },
            validations=[
                _rule(
                    "request.operation != 'CREATE' || variables.gated || variables.mirror || "
                    "object.spec.?nodeName.orValue('') != ''",
                    f"{_WHO} can reach an accelerator and has no scheduling gate {GATE}; the "
                    "MutatingAdmissionPolicy weighbridge-gate adds it: check that it and its binding exist, "
                    "and what removed it",
                ),
                _rule(
                    f"!variables.wasGated || variables.gated || request.userInfo.username == '{CONTROLLER}'",
                    f"the scheduling gate {GATE} of {_WHO} is removed by the controller alone, once every model that "
                    "the pod mounts has a verdict that holds; `kubectl describe pod` says what is missing",
                ),
            ],
            actions=["Deny", "Audit"],
        ),
    ]


def pods() -> list[Manifest]:
    """Return the rules about the shape and the changes of pods that can reach an accelerator."""
    return _validating(
        "weighbridge-pods",
        variables={
            "update": "request.operation == 'UPDATE'",
            "mirror": _MIRROR,
            "wasGated": "request.operation == 'UPDATE' && "
            f"oldObject.spec.?schedulingGates.orValue([]).exists(g, g.name == '{GATE}')",
            "images": _images("object"),
            "oldImages": f"request.operation == 'UPDATE' ? {_images('oldObject')} : []",
        },
        validations=[
            _rule(
                "variables.update || variables.mirror || object.spec.?nodeName.orValue('') == ''",
                f"{_WHO} can reach an accelerator and sets spec.nodeName, which passes by the scheduler and every "
                "check; choose nodes with nodeSelector or affinity",
            ),
            _rule(
                _labelled("object") + f" || (variables.update && !({_labelled('oldObject')}))",
                f"{_WHO} can reach an accelerator and has to keep its label {LABEL}=true, by which it is found; "
                "leave the label as it is",
            ),
            _rule(
                "variables.images == variables.oldImages || !variables.update",
                f"the images of {_WHO} cannot change, for it can reach an accelerator; "
                "delete the pod and create it again with the new image",
            ),
            _rule(
                "object.spec.?ephemeralContainers.orValue([]) == "
                "(variables.update ? oldObject.spec.?ephemeralContainers.orValue([]) : [])",
                f"{_WHO} can reach an accelerator, and a container added later would be one that nobody verified; "
                "debug a copy: `kubectl debug --copy-to` without accelerator",
            ),
            _rule(
                "!variables.wasGated || (" + " && ".join(_same(field) for field in _HELD_STILL) + ")",
                f"where {_WHO} may run cannot change while it is held ({', '.join(_HELD_STILL)}); "
                "delete the pod and create it again",
            ),
            _rule(
                # The API server's type check does not know the maps of quantities, so it is told to look at run time.
                f"!variables.update || ({accelerator_cel('dyn(oldObject)')})",
                f"this change would let {_WHO} reach an accelerator, which is decided only when a pod is created; "
                "delete the pod and create it again",
            ),
        ],
        actions=["Audit"],
    )


_HELD_STILL: Final = ("nodeSelector", "affinity", "tolerations", "schedulerName", "runtimeClassName")


def _same(field: str) -> str:
    # Compared by presence and value: an absent structure has no literal that it could be compared with.
    new, old = f"object.spec.?{field}", f"oldObject.spec.?{field}"
    return f"{new} == {old}"


def _images(subject: str) -> str:
    return " + ".join(
        f"{subject}.spec.?{containers}.orValue([]).map(c, c.?image.orValue(''))"
        for containers in ("containers", "initContainers")
    )


def _labelled(subject: str) -> str:
    return f"{subject}.metadata.?labels[?'{LABEL}'].orValue('') == 'true'"


def _rule(expression: str, message: str) -> Manifest:
    return {"expression": expression, "messageExpression": f"'{message}'", "reason": "Forbidden"}


def _mutating(name: str, expressions: list[str]) -> list[Manifest]:
    return [
        {
            "apiVersion": _API,
            "kind": "MutatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": {
                "failurePolicy": "Fail",
                # Another mutator may be what gives a pod its accelerator.
                "reinvocationPolicy": "IfNeeded",
                "matchConstraints": {"matchPolicy": "Equivalent", "resourceRules": [_resources(["CREATE"], ["pods"])]},
                "matchConditions": _conditions(accelerator_cel("object")),
                "mutations": [
                    {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}
                    for expression in expressions
                ],
            },
        },
        {
            "apiVersion": _API,
            "kind": "MutatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": {"policyName": name},
        },
    ]


def _validating(
    name: str, *, variables: dict[str, str], validations: list[Manifest], actions: list[str]
) -> list[Manifest]:
    matched = f"({accelerator_cel('object')})\n|| (request.operation == 'UPDATE' && ({accelerator_cel('oldObject')}))"
    return [
        {
            "apiVersion": _API,
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {
                    "matchPolicy": "Equivalent",
                    "resourceRules": [
                        _resources(["CREATE", "UPDATE"], ["pods"]),
                        _resources(["UPDATE"], ["pods/ephemeralcontainers", "pods/resize"]),
                    ],
                },
                "matchConditions": _conditions(matched),
                "variables": [{"name": key, "expression": value} for key, value in variables.items()],
                "validations": validations,
            },
        },
        {
            "apiVersion": _API,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": {"policyName": name, "validationActions": actions},
        },
    ]


def _conditions(accelerator: str) -> list[Manifest]:
    return [
        {"name": _MATCHED, "expression": accelerator},
        {"name": _EXEMPT, "expression": f"!({_DAEMON})"},
    ]


def _resources(operations: list[str], resources: list[str]) -> Manifest:
    return {"apiGroups": [""], "apiVersions": ["v1"], "operations": operations, "resources": resources}
