"""Small fleets and workloads for tests: builders for worked examples, strategies for properties.

The strategies draw what real clusters have and tidy examples leave out: nodes without GPUs, sick
devices, devices of unknown memory, taints, cordons, pods that name models or labels, pods that fit
nowhere. This module must not assert anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from gpu_fleet.admission import Admission, Requirement, SelectorTerm, Toleration
from gpu_fleet.cluster_view import ClusterView
from gpu_fleet.nodes import Device, DeviceKind, Node, Taint
from gpu_fleet.pods import Pod, PodShape
from gpu_fleet.readings import Missing
from simulations.workload import Inventory, TracedPod, Workload

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "admissions",
    "fleets",
    "inventory",
    "node",
    "nodes",
    "pod_lists",
    "shape",
    "shapes",
    "timed_workloads",
    "view_of",
    "workload",
    "workloads",
]

MODELS = ("A", "B", "C")
MILLI_OF_PARTS = (50, 190, 220, 300, 460, 500, 700, 999)


def node(
    name: str = "node-0",
    *,
    cpus: int = 16,
    memory_gib: int = 64,
    gpus: int = 2,
    model: str | None = "A",
    gpu_gib: int | None = None,
    **rest: object,
) -> Node:
    """A plain node; `rest` are fields of `Node`."""
    memory = Missing("not stated") if gpu_gib is None else gpu_gib * 1_024
    return Node(
        name,
        cpu_milli=cpus * 1_000,
        memory_mib=memory_gib * 1_024,
        devices=tuple(Device(memory_mib=memory) for _ in range(gpus)),
        gpu_model=model if gpus else None,
        **rest,  # type: ignore[arg-type]
    )


def shape(
    *, cpus: int = 1, memory_gib: int = 1, gpus: int = 0, milli: int = 1_000, **rest: object
) -> PodShape:
    """A plain shape; `rest` are fields of `PodShape`."""
    return PodShape(
        cpu_milli=cpus * 1_000,
        memory_mib=memory_gib * 1_024,
        gpu_count=gpus,
        gpu_milli=milli,
        **rest,  # type: ignore[arg-type]
    )


def inventory(*nodes_: Node) -> Inventory:
    """These nodes, empty."""
    return Inventory("tests", nodes_)


def workload(*shapes_: PodShape) -> Workload:
    """A pod of each shape, pod-0, pod-1 and so on, without times."""
    return Workload(
        "tests", tuple(TracedPod(Pod(f"pod-{i}", each)) for i, each in enumerate(shapes_))
    )


def view_of(nodes_: Sequence[Node], shapes_: Sequence[PodShape] = ()) -> ClusterView:
    """A view of these nodes that knows these shapes, by id in their order if they are distinct."""
    view = ClusterView.of(nodes_)
    for each in shapes_:
        view.intern(each)
    return view


# ---------------------------------------------------------------- strategies

_TAINTS = st.lists(
    st.builds(
        Taint,
        key=st.sampled_from(("gpu", "spot")),
        value=st.sampled_from(("", "yes")),
        effect=st.sampled_from(("NoSchedule", "NoExecute", "PreferNoSchedule")),
    ),
    max_size=1,
).map(tuple)

_TOLERATIONS = st.lists(
    st.one_of(
        st.just(Toleration(operator="Exists")),
        st.builds(
            Toleration,
            key=st.sampled_from(("gpu", "spot")),
            operator=st.sampled_from(("Equal", "Exists")),
            value=st.sampled_from(("", "yes")),
            effect=st.sampled_from(("", "NoSchedule")),
        ),
    ),
    max_size=1,
).map(tuple)

_REQUIREMENTS = st.one_of(
    st.builds(
        Requirement,
        key=st.just("zone"),
        operator=st.sampled_from(("In", "NotIn")),
        values=st.sampled_from((("east",), ("east", "west"))),
    ),
    st.builds(
        Requirement, key=st.just("zone"), operator=st.sampled_from(("Exists", "DoesNotExist"))
    ),
    st.builds(
        Requirement,
        key=st.just("rank"),
        operator=st.sampled_from(("Gt", "Lt")),
        values=st.sampled_from((("3",), ("7",))),
    ),
)


def devices() -> st.SearchStrategy[Device]:
    """A device: mostly whole and healthy, now and then a MIG slice, sick, of unknown memory."""
    return st.builds(
        Device,
        gpu_milli=st.sampled_from((1_000, 1_000, 1_000, 500)),
        memory_mib=st.one_of(st.sampled_from((16_384, 81_920)), st.just(Missing("tests"))),
        kind=st.sampled_from(DeviceKind),
        healthy=st.sampled_from((True, True, True, False)),
    )


def nodes(name: str) -> st.SearchStrategy[Node]:
    """A node of this name."""
    return st.builds(
        Node,
        name=st.just(name),
        cpu_milli=st.integers(0, 16_000),
        memory_mib=st.integers(0, 65_536),
        devices=st.lists(devices(), max_size=4).map(tuple),
        gpu_model=st.sampled_from((*MODELS, None)),
        labels=st.fixed_dictionaries(
            {},
            optional={
                "zone": st.sampled_from(("east", "west")),
                "rank": st.sampled_from(("1", "5", "9", "high")),
            },
        ),
        taints=_TAINTS,
        cordoned=st.sampled_from((False, False, False, True)),
    )


@st.composite
def fleets(draw: st.DrawFn, most: int = 8) -> tuple[Node, ...]:
    """One to `most` nodes, node-0, node-1 and so on."""
    count = draw(st.integers(1, most))
    return tuple(draw(nodes(f"node-{at}")) for at in range(count))


def admissions() -> st.SearchStrategy[Admission]:
    """Mostly anywhere; else models, labels, affinity and tolerations."""
    return st.one_of(
        st.just(Admission()),
        st.builds(
            Admission,
            gpu_models=st.lists(st.sampled_from(MODELS), max_size=2, unique=True).map(
                lambda models: tuple(sorted(models))
            ),
            node_selector=st.sampled_from(((), (("zone", "east"),))),
            affinity=st.lists(
                st.builds(SelectorTerm, labels=st.lists(_REQUIREMENTS, max_size=2).map(tuple)),
                max_size=2,
            ).map(tuple),
            tolerations=_TOLERATIONS,
        ),
    )


@st.composite
def shapes(draw: st.DrawFn) -> PodShape:
    """A pod without GPUs, with a part of one, or with one to four whole ones."""
    kind = draw(st.sampled_from(("none", "part", "part", "whole")))
    return PodShape(
        cpu_milli=draw(st.integers(0, 6_000)),
        memory_mib=draw(st.integers(0, 20_000)),
        gpu_count={"none": 0, "part": 1, "whole": draw(st.integers(1, 4))}[kind],
        gpu_milli=draw(st.sampled_from(MILLI_OF_PARTS)) if kind == "part" else 1_000,
        gpu_memory_mib=draw(st.sampled_from((0, 0, 10_000, 40_000))),
        admission=draw(admissions()),
    )


@st.composite
def pod_lists(draw: st.DrawFn, most: int = 20) -> tuple[Pod, ...]:
    """Pods of a few shapes, as workloads have them."""
    known = draw(st.lists(shapes(), min_size=1, max_size=5, unique=True))
    chosen = draw(st.lists(st.sampled_from(known), min_size=1, max_size=most))
    return tuple(Pod(f"pod-{at}", each) for at, each in enumerate(chosen))


def workloads(most: int = 20) -> st.SearchStrategy[Workload]:
    """Pods without times."""
    return pod_lists(most).map(lambda pods: Workload("tests", tuple(map(TracedPod, pods))))


@st.composite
def timed_workloads(draw: st.DrawFn, most: int = 20) -> Workload:
    """Pods that come and go within some seconds; one of them certainly goes."""
    traced = []
    for at, pod in enumerate(draw(pod_lists(most))):
        created_s = draw(st.integers(0, 30))
        stays_s = draw(st.integers(0, 30))
        goes = at == 0 or draw(st.booleans())
        traced.append(TracedPod(pod, created_s, created_s + stays_s if goes else None))
    return Workload("tests", tuple(traced))
