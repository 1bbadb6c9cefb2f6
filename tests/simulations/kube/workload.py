"""A mixed fleet and a mixed stream of pods, so that every modelled plugin has something to say.

Objects as a user would write them, drawn by a hash of (seed, number): the same in every run.
This module must not know the model.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SERVICES", "drawn", "gpu_pod", "labelled_nodes", "mixed_nodes", "mixed_pod"]

Object = dict[str, Any]

GPU = "nvidia.com/gpu"
ZONE = "topology.kubernetes.io/zone"
HOST = "kubernetes.io/hostname"
_MODELS = (("H100", 8, 128, 1024), ("A100", 8, 96, 768), ("L40S", 4, 64, 384), ("T4", 2, 32, 128))
_MEMORY_MIB = {"H100": 81_920, "A100": 81_920, "L40S": 46_068, "T4": 15_360}
_ZONES = ("a", "b", "c", "")
_IMAGES = (("img.invalid/train:1", 9_000), ("img.invalid/serve:2", 700), ("img.invalid/web", 90))


def drawn(limit: int, *key: object) -> int:
    """A number below `limit` that depends on the key alone."""
    digest = blake2b(repr(key).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") * limit >> 64


SERVICES: tuple[Object, ...] = (
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
    },
)
"""A pod of this one is spread by the profile's own constraints."""


def mixed_nodes(count: int, seed: int, prefix: str = "mix") -> list[Object]:
    """Nodes of four models and three zones (some without), tainted, cordoned, with images."""
    return [_node(f"{prefix}-{number}", number, seed) for number in range(count)]


def _node(name: str, number: int, seed: int) -> Object:
    model, gpus, cores, gib = _MODELS[drawn(4, seed, "model", number)]
    zone = _ZONES[min(3, drawn(10, seed, "zone", number) // 3)]
    amounts = {"cpu": str(cores), "memory": f"{gib}Gi", "pods": "60", GPU: str(gpus)}
    labels = {HOST: name, "gpu": model, "rank": str(drawn(100, seed, "rank", number))}
    taints = [
        {"key": "old", "value": model, "effect": "PreferNoSchedule"},
        {"key": "noisy", "effect": "PreferNoSchedule"},
        {"key": "dedicated", "value": "team", "effect": "NoSchedule"},
    ]
    own = [
        taint for each, taint in enumerate(taints) if not drawn(5 + 2 * each, seed, number, each)
    ]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {**labels, **({ZONE: zone} if zone else {})}},
        "spec": {"taints": own, "unschedulable": not drawn(25, seed, "cordon", number)},
        "status": {
            "capacity": amounts,
            "allocatable": amounts,
            "images": [
                {"names": [_tagged(image), f"{image}@sha256:{number:064x}"], "sizeBytes": mib << 20}
                for each, (image, mib) in enumerate(_IMAGES)
                if drawn(3, seed, "image", number, each)
            ],
        },
    }


def labelled_nodes(count: int, seed: int) -> list[Object]:
    """The same nodes with the labels by which GPU feature discovery tells model and memory."""
    nodes = mixed_nodes(count, seed)
    for node in nodes:
        labels = node["metadata"]["labels"]
        labels["nvidia.com/gpu.product"] = labels["gpu"]
        labels["nvidia.com/gpu.memory"] = str(_MEMORY_MIB[labels["gpu"]])
    return nodes


def _tagged(image: str) -> str:
    return image if ":" in image else f"{image}:latest"


def mixed_pod(number: int, seed: int, scheduler: str, prefix: str = "pod") -> Object:
    """One pod of a dozen and more shapes."""
    shape = _SHAPES[drawn(len(_SHAPES), seed, "shape", number)]
    spec, labels = shape(seed, number)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{prefix}-{number}", "labels": labels},
        "spec": {
            "schedulerName": scheduler,
            **spec,
            "tolerations": [*_LOST, *spec.get("tolerations", ())],
        },
    }


def gpu_pod(number: int, seed: int, scheduler: str, prefix: str = "pod") -> Object:
    """Mostly pods that ask for GPUs, whole or in part, and one in six of the mixed ones."""
    shape = _GPU_SHAPES[drawn(6, seed, "gpu shape", number)]
    if shape is None:
        return mixed_pod(number, seed, scheduler, prefix)
    spec, labels = shape(seed, number)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{prefix}-{number}", "labels": labels},
        "spec": {
            "schedulerName": scheduler,
            **spec,
            "tolerations": [*_LOST, *spec.get("tolerations", ())],
        },
    }


_LOST = [
    {"key": f"node.kubernetes.io/{state}", "operator": "Exists"}
    for state in ("not-ready", "unreachable")
]
"""On a busy machine a heartbeat may come late, which must not change what is recorded."""


def _container(
    cpu: str = "", memory: str = "", gpus: int = 0, image: str = "img.invalid/pause:1"
) -> Object:
    asked = {"cpu": cpu, "memory": memory, GPU: str(gpus) if gpus else ""}
    requests = {name: amount for name, amount in asked.items() if amount}
    limits = {GPU: str(gpus)} if gpus else {}
    return {"name": "c", "image": image, "resources": {"requests": requests, "limits": limits}}


_Shape = tuple[Object, dict[str, str]]


def _training(seed: int, number: int) -> _Shape:
    gpus = (1, 1, 2, 4, 8)[drawn(5, seed, "gpus", number)]
    work = _container(f"{4 * gpus}", f"{24 * gpus}Gi", gpus, _IMAGES[0][0])
    return {"containers": [work]}, {"app": "train"}


def _serving(seed: int, number: int) -> _Shape:
    work = _container("1500m", "6Gi", 1, _IMAGES[1][0])
    spread = [_constraint(ZONE, 1, "DoNotSchedule"), _constraint(HOST, 1, "ScheduleAnyway")]
    if drawn(2, seed, "taints", number):
        spread[0] |= {"nodeTaintsPolicy": "Honor", "minDomains": 2}
    spec = {"containers": [work], "topologySpreadConstraints": spread}
    return spec, {"app": "serve"}


def _constraint(key: str, skew: int, unmet: str) -> Object:
    return {
        "topologyKey": key,
        "maxSkew": skew,
        "whenUnsatisfiable": unmet,
        "labelSelector": {"matchLabels": {"app": "serve"}},
    }


def _soft_zones(_seed: int, number: int) -> _Shape:
    spread = [_constraint(ZONE, 2, "ScheduleAnyway")]
    work = _container("250m", "1Gi")
    return {"containers": [work], "topologySpreadConstraints": spread}, {
        "app": "serve" if number % 2 else "other"
    }


def _web(_seed: int, _number: int) -> _Shape:
    return {"containers": [_container("300m", "512Mi", image=_IMAGES[2][0])]}, {"app": "web"}


def _batch(seed: int, number: int) -> _Shape:
    cores = 1 + drawn(8, seed, "cores", number)
    return {"containers": [_container(f"{cores}", f"{3 * cores}Gi")]}, {"app": "batch"}


def _best_effort(_seed: int, _number: int) -> _Shape:
    return {"containers": [_container()]}, {}


def _half_asked(_seed: int, _number: int) -> _Shape:
    two = [_container("700m"), {**_container(memory="3Gi"), "name": "d"}]
    first = {**_container("2", "1Gi"), "name": "init"}
    sidecar = {**_container("100m"), "name": "side", "restartPolicy": "Always"}
    return {"containers": two, "initContainers": [sidecar, first]}, {"app": "batch"}


def _likes_nodes(_seed: int, number: int) -> _Shape:
    likes = [
        {"weight": 50, "preference": _line(ZONE, "In", "b")},
        {"weight": 20, "preference": _line("gpu", "In", "H100", "A100")},
        {"weight": 7, "preference": _line("rank", "Gt", str(40 + number % 30))},
    ]
    affinity = {"preferredDuringSchedulingIgnoredDuringExecution": likes}
    return {"containers": [_container("2", "8Gi")], "affinity": {"nodeAffinity": affinity}}, {}


def _line(key: str, operator: str, *values: str) -> Object:
    values_ = {"values": list(values)} if values else {}
    return {"matchExpressions": [{"key": key, "operator": operator, **values_}]}


def _needs_nodes(_seed: int, number: int) -> _Shape:
    terms = [_line("rank", "Lt", "60"), _line(ZONE, "DoesNotExist")]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    selector = {"gpu": "L40S"} if number % 3 == 0 else {}
    return {
        "containers": [_container("1", "2Gi", 1 if number % 2 else 0)],
        "nodeSelector": selector,
        "affinity": {"nodeAffinity": required},
    }, {}


def _tolerant(_seed: int, number: int) -> _Shape:
    tolerations = [
        {"key": "dedicated", "operator": "Equal", "value": "team", "effect": "NoSchedule"},
        {"key": "noisy", "operator": "Exists"},
    ]
    return {"containers": [_container("1", "4Gi")], "tolerations": tolerations[number % 2 :]}, {}


def _sociable(_seed: int, number: int) -> _Shape:
    near = {"weight": 30, "podAffinityTerm": _term(ZONE, "web")}
    far = {"weight": 60, "podAffinityTerm": _term(HOST, "train")}
    kind = "preferredDuringSchedulingIgnoredDuringExecution"
    affinity = {"podAffinity": {kind: [near]}, "podAntiAffinity": {kind: [far]}}
    return {"containers": [_container("500m", "1Gi")], "affinity": affinity}, {
        "app": "web" if number % 4 == 0 else "chat"
    }


def _term(key: str, app: str) -> Object:
    return {"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}}


def _alone(_seed: int, _number: int) -> _Shape:
    kind = "requiredDuringSchedulingIgnoredDuringExecution"
    affinity = {"podAntiAffinity": {kind: [_term(HOST, "alone"), _term(HOST, "near")]}}
    return {"containers": [_container("1", "1Gi")], "affinity": affinity}, {"app": "alone"}


def _near(_seed: int, _number: int) -> _Shape:
    kind = "requiredDuringSchedulingIgnoredDuringExecution"
    affinity = {"podAffinity": {kind: [_term(ZONE, "near")]}}
    return {"containers": [_container("200m", "256Mi")], "affinity": affinity}, {"app": "near"}


def _on_one_node(seed: int, number: int) -> _Shape:
    name = f"mix-{drawn(40, seed, 'named', number)}"
    fields = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [name]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [fields]}}
    return {"containers": [_container("50m", "64Mi")], "affinity": {"nodeAffinity": required}}, {}


def _share(seed: int, number: int) -> _Shape:
    asked = {"nvidia.com/gpucores": str(10 * (1 + drawn(6, seed, "cores", number)))}
    if drawn(2, seed, "memory", number):
        asked["nvidia.com/gpumem"] = str(2_000 * (1 + drawn(8, seed, "mib", number)))
    work = _container("500m", "1Gi")
    work["resources"]["requests"] |= asked
    work["resources"]["limits"] |= asked
    return {"containers": [work]}, {"app": "share"}


def _impossible(_seed: int, _number: int) -> _Shape:
    return {"containers": [_container("1", "1Gi", 9)]}, {"app": "train"}


_SHAPES: tuple[Callable[[int, int], _Shape], ...] = (
    *(_training, _training, _training, _serving, _serving, _soft_zones, _web, _web, _batch, _batch),
    *(_best_effort, _half_asked, _likes_nodes, _needs_nodes, _tolerant, _sociable, _alone, _near),
    *(_on_one_node, _impossible),
)

_GPU_SHAPES: tuple[Callable[[int, int], _Shape] | None, ...] = (
    _training, _training, _serving, _share, _share, None,
)  # fmt: skip
