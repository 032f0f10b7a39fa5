"""Every way to an accelerator that a pod can show, as a change of a pod that has none; and what is no way.

The rows are those of the design's list of ways that an API server can see in a pod. The same tables are asked of the
Python rules and of the expression that the API server evaluates.
"""

from __future__ import annotations

from typing import Any, Final

from tests.admission.builders import Manifest, container, pod

Change = dict[str, Any]


def harmless(*, metadata: Change | None = None, status: Change | None = None, **spec: Any) -> Manifest:
    """Return a pod that can reach no accelerator, with these changes."""
    manifest = pod(containers=[container()], volumes=[])
    manifest["spec"].update(spec)
    manifest["metadata"].update(metadata or {})
    return {**manifest, **({"status": status} if status else {})}


def _with(**changes: Any) -> Manifest:
    return harmless(containers=[container(), container(**changes)])


def _env(name: str, value: str = "all") -> Manifest:
    return _with(env=[{"name": "PATH", "value": "x"}, {"name": name, "value": value}])


def _limits(name: str, quantity: object = 1) -> Change:
    return {"resources": {"limits": {"cpu": 1, name: quantity}}}


def _host(path: str, kind: str | None = None) -> Manifest:
    return harmless(volumes=[{"name": "h", "hostPath": {"path": path, **({"type": kind} if kind else {})}}])


def _noted(key: str) -> Manifest:
    return harmless(metadata={"annotations": {"a": "b", key: "1"}})


_NAMES: Final = (
    ("nvidia.com/gpu", "1"),
    ("nvidia.com/mig-1g.5gb", "2"),
    ("nvidia.com/gpu.shared", "2"),
    ("nvidia.com/gpumem", "2"),
    ("volcano.sh/vgpu-number", "2"),
    ("aliyun.com/gpu-mem", "2"),
    ("amd.com/gpu", "3"),
    ("gpu.intel.com/xe", "3"),
    ("habana.ai/gaudi", "3"),
    ("google.com/tpu", "3"),
    ("aws.amazon.com/neuroncore", "3"),
    ("huawei.com/Ascend910", "3"),
    ("cambricon.com/mlu", "3"),
    ("tomorrow.example/thing", "3"),
    ("kubernetes.io/gpu", "3"),
    ("cpu.example/cpu", "3"),
    ("gpu", "3"),
    ("hugepage-2Mi", "3"),
    ("deviceclass.resource.kubernetes.io/gpu", "6"),
)

WAYS: Final[dict[str, tuple[str, Manifest]]] = {
    **{f"{row} {name}": ("resource", _with(**_limits(name))) for name, row in _NAMES},
    "1 requests only": ("resource", _with(resources={"requests": {"nvidia.com/gpu": 1}})),
    "1 quantity zero": ("resource", _with(**_limits("nvidia.com/gpu", 0))),
    "1 init container": ("resource", harmless(initContainers=[container(**_limits("nvidia.com/gpu"))])),
    "1 sidecar": (
        "resource",
        harmless(initContainers=[container(restartPolicy="Always", **_limits("nvidia.com/gpu"))]),
    ),
    "1 ephemeral container": ("resource", harmless(ephemeralContainers=[container(**_limits("nvidia.com/gpu"))])),
    "1 last of many": ("resource", harmless(containers=[container()] * 63 + [container(**_limits("amd.com/gpu"))])),
    "4 gpu-fraction": ("annotation", _noted("gpu-fraction")),
    "4 gpu-memory": ("annotation", _noted("gpu-memory")),
    "4 HAMi": ("annotation", _noted("hami.io/vgpu-mode")),
    "4 NVIDIA": ("annotation", _noted("nvidia.com/use-gpuuuid")),
    "4 scheduler": ("scheduler", harmless(schedulerName="kai-scheduler")),
    "5 claim": ("claim", harmless(resourceClaims=[{"name": "g", "resourceClaimName": "c"}])),
    "5 claim by template": ("claim", harmless(resourceClaims=[{"name": "g", "resourceClaimTemplateName": "c"}])),
    "5 claim of a container": ("claim", _with(resources={"claims": [{"name": "g"}]})),
    "8 resources of the pod": ("resource", harmless(resources={"requests": {"amd.com/gpu": 1}})),
    "8 claims of the pod": ("claim", harmless(resources={"claims": [{"name": "g"}]})),
    "10 node name": ("node-name", harmless(nodeName="gpu-1")),
    "10 node name and a forged condition": (
        "node-name",
        harmless(nodeName="gpu-1", status={"conditions": [{"type": "PodScheduled", "status": "False"}]}),
    ),
    "12 all": ("environment", _env("NVIDIA_VISIBLE_DEVICES")),
    "12 an index": ("environment", _env("NVIDIA_VISIBLE_DEVICES", "0")),
    "12 void in capitals": ("environment", _env("NVIDIA_VISIBLE_DEVICES", "VOID")),
    "12 from elsewhere": (
        "environment",
        _with(env=[{"name": "NVIDIA_VISIBLE_DEVICES", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}]),
    ),
    "12 void first, then all": (
        "environment",
        _with(env=[{"name": "NVIDIA_VISIBLE_DEVICES", "value": v} for v in ("void", "all")]),
    ),
    "12 init container": (
        "environment",
        harmless(initContainers=[container(env=[{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}])]),
    ),
    "12 Ascend": ("environment", _env("ASCEND_VISIBLE_DEVICES", "0")),
    "12 AMD": ("environment", _env("AMD_VISIBLE_DEVICES")),
    "12 MIG": ("environment", _env("NVIDIA_MIG_CONFIG_DEVICES")),
    "13 mount": ("mount", _with(volumeMounts=[{"name": "n", "mountPath": "/var/run/nvidia-container-devices/all"}])),
    "13 mount in another spelling": (
        "mount",
        _with(volumeMounts=[{"name": "n", "mountPath": "/var//run/./nvidia-container-devices/all"}]),
    ),
    "13 container device interface": ("annotation", _noted("cdi.k8s.io/gpu")),
    "13 CRI-O": ("annotation", _noted("io.kubernetes.cri-o.Devices")),
    "14 runtime class": ("runtime-class", harmless(runtimeClassName="nvidia")),
    "14 another name of it": ("runtime-class", harmless(runtimeClassName="plain")),
    "15 privileged": ("privileged", _with(securityContext={"privileged": True})),
    "15 privileged init container": (
        "privileged",
        harmless(initContainers=[container(securityContext={"privileged": True})]),
    ),
    "15 privileged ephemeral container": (
        "privileged",
        harmless(ephemeralContainers=[container(securityContext={"privileged": True})]),
    ),
    **{
        f"15 capability {name}": ("capability", _with(securityContext={"capabilities": {"add": ["CHOWN", name]}}))
        for name in ("SYS_ADMIN", "CAP_SYS_ADMIN", "sys_admin", "ALL", "MKNOD", "SYS_RAWIO", "Cap_Bpf")
    },
    "15 host PID": ("host-pid", harmless(hostPID=True)),
    **{
        f"15 host path {path}": ("host-path", _host(path))
        for path in (
            *("/", "//", "/.", "/dev", "/dev/", "//dev", "/./dev/nvidia0", "/dev/shm", "/etc", "/etc/cdi/x"),
            *("/run", "/var/run", "/var/lib/kubelet/device-plugins", "/var/lib", "/run/containerd/containerd.sock"),
            *("/var/run/docker.sock", "/etc/kubernetes/manifests", "/data/../dev", "/proc/1/root"),
        )
    },
    "15 host path to a socket": ("host-path", _host("/opt/any.sock", "Socket")),
    "15 host path to a device": ("host-path", _host("/opt/any", "CharDevice")),
    "more containers than are looked at": ("too-many-containers", harmless(initContainers=[container()] * 65)),
}
"""By the number of the row: the kind of way that is found, and the pod."""

NO_WAYS: Final[dict[str, Manifest]] = {
    "nothing": harmless(),
    "native resources": _with(
        resources={"limits": {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "1Gi", "hugepages-2Mi": "4Mi"}}
    ),
    "allowed resource": _with(**_limits("devices.kubevirt.io/kvm")),
    "empty claims": harmless(resourceClaims=[], containers=[container(resources={"claims": []})]),
    "default scheduler": harmless(schedulerName="default-scheduler"),
    "scheduled": harmless(nodeName="n", status={"conditions": [{"type": "PodScheduled", "status": "True"}]}),
    "void": _env("NVIDIA_VISIBLE_DEVICES", "void"),
    "none": _env("NVIDIA_VISIBLE_DEVICES", "none"),
    "empty": _env("NVIDIA_VISIBLE_DEVICES", ""),
    "no value": _with(env=[{"name": "NVIDIA_VISIBLE_DEVICES"}]),
    "a library's choice": _env("CUDA_VISIBLE_DEVICES", "0"),
    "another variable": _env("VISIBLE_DEVICES_MINE", "all"),
    "harmless capability": _with(securityContext={"privileged": False, "capabilities": {"add": ["NET_BIND_SERVICE"]}}),
    "harmless annotation": _noted("example.com/gpu-fraction"),
    "host path to data": _host("/data"),
    "host path like a device": _host("/device"),
    "host path like a log": _host("/var/log"),
    "a claim of storage": harmless(volumes=[{"name": "p", "persistentVolumeClaim": {"claimName": "c"}}]),
    "mount": _with(volumeMounts=[{"name": "m", "mountPath": "/models"}]),
    "pinned model": harmless(volumes=[{"name": "m", "image": {"reference": "a@sha256:b"}}]),
}
"""Pods that can reach no accelerator, and so are none of our business."""
