"""What can be bought, what is wanted, and which of it can hold which.

Sizing a fleet asks the same question over and over: does an empty node of this offering hold a pod
of this shape, and if not, why? It is answered once, by the rule that placement uses, and kept as a
table. Offerings that another one beats at everything are known here too.
This module must not choose what to buy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.admission import Admission, SelectorTerm
from gpu_fleet.cluster_view import ClusterView
from gpu_fleet.names import GPU_MODEL_LABELS
from gpu_fleet.readings import Missing
from gpu_fleet.refusals import Refusal
from scheduler_extender.placement.feasibility import reasons
from scheduler_extender.placement.pod_mix import PodMix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gpu_fleet.nodes import Node
    from gpu_fleet.pods import Pod, PodShape
    from gpu_fleet.pools import Offering
    from scheduler_extender.placement.pod_mix import MixClass
    from simulations.workload import Workload

__all__ = ["Market", "PriceList", "as_offered", "node_of"]


@dataclass(frozen=True, slots=True)
class PriceList:
    """What can be bought."""

    name: str
    """The file's stem, or the recipe's name."""
    offerings: tuple[Offering, ...]
    notes: tuple[str, ...] = ()
    file: str | None = None
    """Where it was read from, as the person named it."""


def node_of(offering: Offering, name: str) -> Node:
    """A node of this offering, with the labels by which Kubernetes tells its GPU model."""
    node = offering.node(name)
    if offering.gpu_model is None:
        return node
    return replace(node, labels=dict.fromkeys(GPU_MODEL_LABELS, offering.gpu_model))


def as_offered(workload: Workload) -> Workload:
    """The workload without what no offering can promise: labels other than the GPU model's.

    A node that is still to be bought has no zone and no labels of its own. Selectors and affinity
    that ask for them are taken out and counted. Taints are not there either, so tolerations go too.
    """
    narrowed: dict[PodShape, PodShape] = {}
    pods, touched = [], 0
    for traced in workload.pods:
        shape = traced.pod.shape
        if shape not in narrowed:
            narrowed[shape] = replace(shape, admission=_promisable(shape.admission))
        wanted = replace(narrowed[shape].admission, tolerations=shape.admission.tolerations)
        touched += wanted != shape.admission
        pods.append(replace(traced, pod=replace(traced.pod, shape=narrowed[shape])))
    note = f"{touched:,} pods ask for labels that offerings do not have: that is ignored"
    notes = (*workload.notes, note) if touched else workload.notes
    return replace(workload, pods=tuple(pods), notes=notes)


def _promisable(admission: Admission) -> Admission:
    terms = tuple(
        SelectorTerm(labels=tuple(line for line in term.labels if line.key in GPU_MODEL_LABELS))
        for term in admission.affinity
    )
    return Admission(
        gpu_models=admission.gpu_models,
        node_selector=tuple(
            (key, value) for key, value in admission.node_selector if key in GPU_MODEL_LABELS
        ),
        # One of the terms must hold; one that asks for nothing any more always does.
        affinity=terms if all(term.labels for term in terms) else (),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """Offerings and the pod classes that are to be held: rows are classes, columns offerings."""

    offerings: tuple[Offering, ...]
    classes: tuple[MixClass, ...]
    refusals: NDArray[np.uint8]
    """Why an empty node of the offering cannot hold a pod of the class; NONE where it can."""

    @classmethod
    def of(cls, offerings: Sequence[Offering], shapes: Sequence[PodShape]) -> Market:
        """The table for these pods."""
        classes = PodMix.of(shapes).classes
        view = ClusterView.of(node_of(o, str(place)) for place, o in enumerate(offerings))
        columns = np.arange(len(offerings))
        refusals = np.zeros((len(classes), len(offerings)), np.uint8)
        for row, entry in enumerate(classes):
            refusals[row] = reasons(view, view.intern(entry.shape), columns)
        return cls(tuple(offerings), classes, refusals)

    @property
    def fits(self) -> NDArray[np.bool_]:
        """Whether an empty node of the offering holds a pod of the class."""
        return np.asarray(self.refusals == Refusal.NONE)

    @property
    def prices(self) -> NDArray[np.float64]:
        """Cost per hour of each offering."""
        return np.array([offering.cost_per_hour for offering in self.offerings])

    def homeless(self) -> tuple[PodShape, Refusal] | None:
        """The first class that no offering can hold, and what most of them lack."""
        for entry, row in zip(self.classes, self.refusals, strict=True):
            if (row != Refusal.NONE).all():
                return entry.shape, Refusal(int(np.bincount(row).argmax()))
        return None

    def only(self, kept: Sequence[int]) -> Market:
        """The same with these offerings alone."""
        offerings = tuple(self.offerings[j] for j in kept)
        return Market(offerings, self.classes, self.refusals[:, list(kept)])

    def left(self, bought: Sequence[int], pods: Sequence[Pod]) -> Market:
        """What remains to be had after a purchase, for pods that still need a place."""
        offerings = tuple(
            offering if offering.limit is None else replace(offering, limit=offering.limit - many)
            for offering, many in zip(self.offerings, bought, strict=True)
        )
        return Market.of(offerings, [pod.shape for pod in pods])

    def undominated(self) -> tuple[int, ...]:
        """The offerings worth looking at: none is beaten by another at price and everything else.

        One that is beaten can be left out of any purchase: the better one takes its place, node by
        node, and holds all that it held. The better one must be had without limit for that.
        """
        amounts = np.array([_amounts(offering) for offering in self.offerings])
        kept: list[int] = []
        order = sorted(range(len(self.offerings)), key=lambda j: self.offerings[j].cost_per_hour)
        for j in order:
            rivals = [i for i in kept if self.offerings[i].limit is None]
            beats = (amounts[rivals] >= amounts[j]).all(axis=1)
            holds = (self.fits[:, rivals] | ~self.fits[:, [j]]).all(axis=0)
            if not (beats & holds).any():
                kept.append(j)
        return tuple(sorted(kept))


def _amounts(offering: Offering) -> tuple[int, ...]:
    """What more of is never worse; unknown device memory is less than any."""
    memories = [d.memory_mib for d in offering.devices]
    known = [-1 if isinstance(memory, Missing) else memory for memory in memories]
    return (
        offering.cpu_milli,
        offering.memory_mib,
        len(offering.devices),
        min((d.gpu_milli for d in offering.devices), default=0),
        min(known, default=-1),
    )
