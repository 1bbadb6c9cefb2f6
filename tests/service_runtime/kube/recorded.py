"""Pages of nodes and pods as a real API server writes them, full size, for as many as wanted.

The shape was taken from objects of a 1.37 control plane: managed fields, projected tokens, probes,
conditions and status are there, because skipping them is most of the work of decoding. It must
not be smaller than the real thing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["NODES_PER_LIST", "node_body", "page_of", "pod_body"]

NODES_PER_LIST: Final = 5_000
_TIME: Final = "2026-03-04T12:00:00Z"


def pod_body(number: int) -> bytes:
    """One running pod of about 6 kB."""
    return msgspec.json.encode(_pod(number))


def node_body(number: int) -> bytes:
    """One GPU node of about 9 kB."""
    return msgspec.json.encode(_node(number))


def page_of(kind: str, body: Callable[[int], bytes], first: int, count: int, token: str) -> bytes:
    """One page of a list."""
    items = b",".join(body(number) for number in range(first, first + count))
    head = msgspec.json.encode({"resourceVersion": "900000", "continue": token})
    return (
        f'{{"kind":"{kind}List","apiVersion":"v1","metadata":'.encode()
        + head
        + b',"items":['
        + items
        + b"]}\n"
    )


def _fields(*paths: str) -> dict[str, Any]:
    """Managed fields of these dotted paths, in FieldsV1's own notation."""
    root: dict[str, Any] = {}
    for path in paths:
        place = root
        for step in path.split("."):
            place = place.setdefault(step if step[1:2] == ":" else f"f:{step}", {})
    return root


def _managed(manager: str, *paths: str, subresource: str = "") -> dict[str, Any]:
    entry = {
        "manager": manager,
        "operation": "Update",
        "apiVersion": "v1",
        "time": _TIME,
        "fieldsType": "FieldsV1",
        "fieldsV1": _fields(*paths),
    }
    return entry | ({"subresource": subresource} if subresource else {})


def _uid(kind: int, number: int) -> str:
    return f"{kind:08x}-0000-4000-8000-{number:012x}"


def _condition(kind: str, status: str = "True", **more: str) -> dict[str, Any]:
    return {"type": kind, "status": status, "lastTransitionTime": _TIME, **more}


def _pod(number: int) -> dict[str, Any]:
    name = f"train-{number:06}"
    env = [{"name": f"SETTING_{n}", "value": f"value-{n}-of-a-usual-length"} for n in range(12)]
    container = {
        "name": "worker",
        "image": "registry.example/team/trainer:2026.03.1",
        "command": ["python", "-m", "trainer", "--config", "/etc/trainer/config.yaml"],
        "env": env,
        "ports": [{"name": "metrics", "containerPort": 9090, "protocol": "TCP"}],
        "resources": {
            "limits": {"cpu": "8", "memory": "64Gi", "nvidia.com/gpu": "1"},
            "requests": {"cpu": "8", "memory": "64Gi", "nvidia.com/gpu": "1"},
        },
        "volumeMounts": [
            {"name": "config", "readOnly": True, "mountPath": "/etc/trainer"},
            {"name": "scratch", "mountPath": "/scratch"},
            {
                "name": "kube-api-access-x7k2p",
                "readOnly": True,
                "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
            },
        ],
        "readinessProbe": {
            "httpGet": {"path": "/ready", "port": 9090, "scheme": "HTTP"},
            "timeoutSeconds": 1,
            "periodSeconds": 10,
            "successThreshold": 1,
            "failureThreshold": 3,
        },
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
        "securityContext": {"allowPrivilegeEscalation": False, "runAsNonRoot": True},
    }
    return {
        "metadata": {
            "name": name,
            "generateName": "train-",
            "namespace": f"team-{number % 40:02}",
            "uid": _uid(1, number),
            "resourceVersion": str(100_000 + number),
            "generation": 1,
            "creationTimestamp": _TIME,
            "labels": {
                "app.kubernetes.io/name": "trainer",
                "app.kubernetes.io/part-of": f"project-{number % 200}",
                "batch.kubernetes.io/job-name": f"train-{number // 8}",
                "controller-uid": _uid(2, number // 8),
                "synthscale.io/agent": f"agent-{number % 30}",
            },
            "annotations": {
                "prometheus.io/scrape": "true",
                "synthscale.io/datasets": f"corpus-{number % 12},eval-{number % 5}",
            },
            "ownerReferences": [
                {
                    "apiVersion": "batch/v1",
                    "kind": "Job",
                    "name": f"train-{number // 8}",
                    "uid": _uid(2, number // 8),
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
            "managedFields": [
                _managed(
                    "kube-controller-manager",
                    "metadata.annotations.prometheus.io/scrape",
                    "metadata.generateName",
                    "metadata.labels.app.kubernetes.io/name",
                    "metadata.labels.batch.kubernetes.io/job-name",
                    f'metadata.ownerReferences.k:{{"uid":"{_uid(2, number // 8)}"}}',
                    *(
                        f'spec.containers.k:{{"name":"worker"}}.{field}'
                        for field in (*container, "resources.limits", "resources.requests")
                    ),
                    *(
                        f'spec.containers.k:{{"name":"worker"}}.env.k:{{"name":"{one["name"]}"}}'
                        for one in env
                    ),
                    "spec.dnsPolicy",
                    "spec.enableServiceLinks",
                    "spec.restartPolicy",
                    "spec.schedulerName",
                    "spec.securityContext",
                    "spec.terminationGracePeriodSeconds",
                    "spec.tolerations",
                ),
                _managed(
                    "kubelet",
                    'status.conditions.k:{"type":"ContainersReady"}.status',
                    'status.conditions.k:{"type":"Initialized"}.status',
                    'status.conditions.k:{"type":"Ready"}.status',
                    "status.containerStatuses",
                    "status.hostIP",
                    "status.phase",
                    "status.podIP",
                    "status.podIPs",
                    "status.startTime",
                    subresource="status",
                ),
            ],
        },
        "spec": {
            "volumes": [
                {"name": "config", "configMap": {"name": "trainer", "defaultMode": 420}},
                {"name": "scratch", "emptyDir": {"sizeLimit": "200Gi"}},
                {
                    "name": "kube-api-access-x7k2p",
                    "projected": {
                        "sources": [
                            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                            {
                                "configMap": {
                                    "name": "kube-root-ca.crt",
                                    "items": [{"key": "ca.crt", "path": "ca.crt"}],
                                }
                            },
                        ],
                        "defaultMode": 420,
                    },
                },
            ],
            "containers": [container],
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
            "nodeSelector": {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"},
            "serviceAccountName": "default",
            "serviceAccount": "default",
            "nodeName": f"node-{number % NODES_PER_LIST:05}",
            "securityContext": {"fsGroup": 2000},
            "schedulerName": "default-scheduler",
            "tolerations": [
                {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
                {
                    "key": "node.kubernetes.io/not-ready",
                    "operator": "Exists",
                    "effect": "NoExecute",
                    "tolerationSeconds": 300,
                },
                {
                    "key": "node.kubernetes.io/unreachable",
                    "operator": "Exists",
                    "effect": "NoExecute",
                    "tolerationSeconds": 300,
                },
            ],
            "priority": 0,
            "enableServiceLinks": True,
            "preemptionPolicy": "PreemptLowerPriority",
        },
        "status": {
            "phase": "Running",
            "conditions": [
                _condition("PodReadyToStartContainers"),
                _condition("Initialized"),
                _condition("Ready"),
                _condition("ContainersReady"),
                _condition("PodScheduled"),
            ],
            "hostIP": "10.1.2.3",
            "podIP": "10.2.3.4",
            "podIPs": [{"ip": "10.2.3.4"}],
            "startTime": _TIME,
            "containerStatuses": [
                {
                    "name": "worker",
                    "state": {"running": {"startedAt": _TIME}},
                    "lastState": {},
                    "ready": True,
                    "restartCount": 0,
                    "image": container["image"],
                    "imageID": f"registry.example/team/trainer@sha256:{number:064x}",
                    "containerID": f"containerd://{number:064x}",
                    "started": True,
                }
            ],
            "qosClass": "Guaranteed",
        },
    }


def _node(number: int) -> dict[str, Any]:
    name = f"node-{number:05}"
    room = {
        "cpu": "96",
        "ephemeral-storage": "1800Gi",
        "hugepages-2Mi": "0",
        "memory": "1056000Mi",
        "nvidia.com/gpu": "8",
        "pods": "110",
    }
    features = {f"feature.node.kubernetes.io/cpu-cpuid.FLAG{n}": "true" for n in range(30)}
    gpu = {
        "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3",
        "nvidia.com/gpu.memory": "81559",
        "nvidia.com/gpu.count": "8",
    }
    return {
        "metadata": {
            "name": name,
            "uid": _uid(3, number),
            "resourceVersion": str(200_000 + number),
            "creationTimestamp": _TIME,
            "labels": {
                "kubernetes.io/hostname": name,
                "topology.kubernetes.io/zone": f"zone-{number % 3}",
                **gpu,
                **features,
            },
            "annotations": {"node.alpha.kubernetes.io/ttl": "0"},
            "managedFields": [
                _managed(
                    "nfd-master",
                    *(f"metadata.labels.f:{label}" for label in (*features, *gpu)),
                ),
                _managed(
                    "kubelet",
                    *(
                        f"status.{kind}.{one}"
                        for kind in ("capacity", "allocatable")
                        for one in room
                    ),
                    "status.conditions",
                    "status.images",
                    "status.nodeInfo",
                    subresource="status",
                ),
            ],
        },
        "spec": {
            "podCIDR": "10.2.3.0/24",
            "providerID": f"cloud:///zone-{number % 3}/{name}",
            "taints": [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}],
        },
        "status": {
            "capacity": room,
            "allocatable": room,
            "conditions": [
                _condition(kind, status, lastHeartbeatTime=_TIME, reason="Kubelet", message="as is")
                for kind, status in (
                    ("MemoryPressure", "False"),
                    ("DiskPressure", "False"),
                    ("PIDPressure", "False"),
                    ("Ready", "True"),
                )
            ],
            "addresses": [{"type": "InternalIP", "address": "10.1.2.3"}],
            "nodeInfo": {
                "kernelVersion": "6.8.0",
                "osImage": "Ubuntu 24.04",
                "containerRuntimeVersion": "containerd://2.0.0",
                "kubeletVersion": "v1.37.2",
                "operatingSystem": "linux",
                "architecture": "amd64",
            },
            "images": [
                {
                    "names": [
                        f"registry.example/team/image-{n}@sha256:{n:064x}",
                        f"registry.example/team/image-{n}:2026.03",
                    ],
                    "sizeBytes": 1_000_000 * (n + 1),
                }
                for n in range(20)
            ],
        },
    }
