"""Small price lists and workloads, and plain ways to check what is said about them.

The checks share nothing with the code they check but the values: no view, no policy, no solver.
This module must not assert anything.
"""

from __future__ import annotations

from itertools import combinations, product
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from gpu_fleet.nodes import Device
from gpu_fleet.pods import Pod, PodShape
from gpu_fleet.pools import Offering
from simulations.capacity.size import Sizing, size
from simulations.workload import TracedPod, Workload

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simulations.capacity.size import PlannedNode, Size

__all__ = [
    "cheapest",
    "complaints",
    "offering",
    "offerings",
    "pods_of",
    "sized",
    "small_workloads",
]

State = tuple[int, int, tuple[int, ...]]
"""Free milli-CPU, free MiB, free thousandths of each device."""


def offering(
    name: str, cost: float, *, cpus: int = 16, memory_gib: int = 64, gpus: int = 0, **rest: object
) -> Offering:
    """A plain offering; `rest` are fields of `Offering`."""
    return Offering(
        name,
        cpu_milli=cpus * 1_000,
        memory_mib=memory_gib * 1_024,
        devices=(Device(memory_mib=16_384),) * gpus,
        gpu_model="T4" if gpus else None,
        cost_per_hour=cost,
        **rest,  # type: ignore[arg-type]
    )


def pods_of(*shapes: PodShape) -> Workload:
    """A pod of each shape."""
    return Workload(
        "tests", tuple(TracedPod(Pod(f"pod-{at}", shape)) for at, shape in enumerate(shapes))
    )


def sized(workload: Workload, *kinds: Offering, policy: str = "least-loss") -> Size:
    """The answer, with all the time it wants."""
    return size(Sizing(workload, kinds, policy), lambda: True, lambda: None)


# ---------------------------------------------------------------- strategies


@st.composite
def offerings(draw: st.DrawFn) -> tuple[Offering, ...]:
    """Two or three kinds of node; the last one holds every pod that is drawn here."""
    kinds = [
        offering(
            f"kind-{at}",
            draw(st.integers(1, 12)),
            cpus=draw(st.sampled_from((2, 4, 8, 16))),
            memory_gib=draw(st.sampled_from((4, 8, 16, 64))),
            gpus=draw(st.sampled_from((0, 1, 2))),
        )
        for at in range(draw(st.integers(1, 2)))
    ]
    return (*kinds, offering("large", draw(st.integers(3, 20)), cpus=16, memory_gib=64, gpus=2))


@st.composite
def small_workloads(draw: st.DrawFn) -> Workload:
    """One to five pods, alike or not."""
    shapes = st.builds(
        lambda gpu, cpus, memory_gib: PodShape(
            cpus * 1_000, memory_gib * 1_024, gpu_count=gpu[0], gpu_milli=gpu[1]
        ),
        st.sampled_from(((0, 0), (1, 300), (1, 500), (1, 600), (1, 1_000), (2, 1_000))),
        st.integers(0, 9),
        st.integers(0, 9),
    )
    return pods_of(*draw(st.lists(shapes, min_size=1, max_size=5)))


# ---------------------------------------------------------------- plain checks


def complaints(plan: Sequence[PlannedNode], workload: Workload) -> list[str]:
    """What is wrong with a plan, by adding up."""
    wrong = []
    seen = [planned.pod.name for node in plan for planned in node.pods]
    if sorted(seen) != sorted(traced.pod.name for traced in workload.pods):
        wrong.append("the pods of the plan are not those of the workload")
    for node in plan:
        shapes = [planned.pod.shape for planned in node.pods]
        if sum(shape.cpu_milli for shape in shapes) > node.offering.cpu_milli:
            wrong.append(f"{node.name} has too little CPU")
        if sum(shape.memory_mib for shape in shapes) > node.offering.memory_mib:
            wrong.append(f"{node.name} has too little memory")
        wrong += _device_complaints(node)
    return wrong


def _device_complaints(node: PlannedNode) -> Iterator[str]:
    used = [0] * len(node.offering.devices)
    for planned in node.pods:
        shape = planned.pod.shape
        if len(set(planned.devices)) != shape.gpu_count:
            yield f"{planned.pod.name} has {planned.devices}"
        models = shape.admission.gpu_models
        if models and node.offering.gpu_model not in models:
            yield f"{planned.pod.name} is on a GPU of the wrong model"
        for device in planned.devices:
            used[device] += shape.gpu_milli
    if any(
        taken > device.gpu_milli for taken, device in zip(used, node.offering.devices, strict=True)
    ):
        yield f"{node.name} has too little GPU"


def cheapest(kinds: Sequence[Offering], workload: Workload) -> float:
    """The least cost of a set that holds the workload, by trying all sets."""
    shapes = [traced.pod.shape for traced in workload.pods]
    most = range(len(shapes) + 1)
    counts = [some for some in product(most, repeat=len(kinds)) if 0 < sum(some) <= len(shapes)]
    costs = {some: _cost(kinds, some) for some in counts}
    held = (some for some in sorted(counts, key=costs.__getitem__) if _holds(kinds, some, shapes))
    return costs[next(held)]


def _cost(kinds: Sequence[Offering], counts: tuple[int, ...]) -> float:
    return sum(kind.cost_per_hour * many for kind, many in zip(kinds, counts, strict=True))


def _holds(kinds: Sequence[Offering], counts: tuple[int, ...], shapes: list[PodShape]) -> bool:
    nodes = [
        (kind.cpu_milli, kind.memory_mib, tuple(device.gpu_milli for device in kind.devices))
        for kind, many in zip(kinds, counts, strict=True)
        for _ in range(many)
    ]
    return _has_room(nodes, shapes)


def _has_room(nodes: list[State], shapes: list[PodShape]) -> bool:
    if not shapes:
        return True
    first, *others = shapes
    for at in {node: at for at, node in enumerate(nodes)}.values():  # equal nodes are one try
        for after in _placed(nodes[at], first):
            if _has_room([*nodes[:at], after, *nodes[at + 1 :]], others):
                return True
    return False


def _placed(node: State, shape: PodShape) -> Iterator[State]:
    """Every state in which the node can be once it holds the pod."""
    cpu, memory, devices = node[0] - shape.cpu_milli, node[1] - shape.memory_mib, node[2]
    if cpu < 0 or memory < 0:
        return
    enough = [at for at, free in enumerate(devices) if free >= shape.gpu_milli]
    for chosen in combinations(enough, shape.gpu_count):
        left = (f - shape.gpu_milli if at in chosen else f for at, f in enumerate(devices))
        yield cpu, memory, tuple(left)
