"""Replays a recording through the model: every decision of the real scheduler is forced on it.

Before each pod the model says what it would do, then the pod goes where it really went, so that one
wrong guess does not spoil the next. Whatever differs is told with both tables of scores.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from statistics import mean
from typing import TYPE_CHECKING

from simulations.kube.cluster import KubeCluster
from simulations.kube.scheduler import schedule
from simulations.readers.kube_scheduling import Selectors, kube_node, kube_pod
from simulations.readers.scheduler_config import profile_of
from tests.simulations.kube.recording import digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from simulations.kube.objects import KubePod
    from simulations.kube.scheduler import Cycle
    from tests.simulations.kube.recording import Answer, Cluster, Decision, Recording

__all__ = ["Comparison", "Summary", "force", "summary"]


class RecordedExtender:
    """Says again what it said."""

    def __init__(self, weight: int, answer: Answer) -> None:
        self.weight = weight
        self._answer = answer

    def is_interested(self, _pod: KubePod) -> bool:
        """It was asked."""
        return True

    def keep(self, _pod: KubePod, names: Sequence[str]) -> Sequence[str]:
        """The recorded names, in the recorded order."""
        return names if self._answer.kept is None else self._answer.kept

    def prioritize(self, _pod: KubePod, _names: Sequence[str]) -> Mapping[str, int] | None:
        """The recorded scores."""
        return self._answer.scores


@dataclass(frozen=True, slots=True)
class Comparison:
    """One decision, by the real scheduler and by the model."""

    decision: Decision
    cycle: Cycle

    @property
    def is_equal(self) -> bool:
        """The model's own choice is the real one."""
        return self.cycle.node == self.decision.node

    @property
    def is_among_best(self) -> bool:
        """The real choice has the model's highest total."""
        chosen = self.decision.node
        return self.is_equal if chosen is None else chosen in self.cycle.ties

    @property
    def has_equal_totals(self) -> bool:
        """The model scored the same nodes, each with the same total."""
        totals = dict(zip(self.cycle.candidates, self.cycle.totals.tolist(), strict=True))
        if len(totals) < 2:
            return self.decision.scored == 0
        return len(totals) == self.decision.scored and self.decision.totals == digest(
            totals.items()
        )

    def told(self) -> str:
        """Both sides, for a person: the real table only while it is fresh."""
        name, cycle = self.decision.pod["metadata"]["name"], self.cycle
        lines = [
            f"{name}: really {self.decision.node}, by the model {cycle.node}",
            f"  really {self.decision.scored} scored, best {self.decision.best}",
            f"  by the model {len(cycle.candidates)}, best {max(cycle.totals.tolist(), default=0)}",
        ]
        for place, node in enumerate(cycle.candidates):
            mine = {plugin: int(points[place]) for plugin, points in cycle.scores.items()}
            mine["total"] = int(cycle.totals[place])
            real = self.decision.table.get(node, {})
            if not real or any(real.get(key, value) != value for key, value in mine.items()):
                lines.append(f"  {node}: really {dict(real)}, by the model {mine}")
        unknown = sorted(set(self.decision.table) - set(cycle.candidates))
        return "\n".join((*lines[:12], f"  really scored only: {unknown[:5]}"))


def force(recording: Recording) -> Iterator[Comparison]:
    """Decision by decision."""
    cluster, selectors = _cluster(recording.cluster), _selectors(recording.cluster)
    profile = profile_of(_configuration(recording.cluster))
    start = 0
    for decision in recording.decisions:
        for name in decision.gone:
            cluster.release(name)
        pod = kube_pod(_bytes(decision.pod), selectors)
        answer = decision.answer
        weight = recording.cluster.extender_weight
        extenders = [] if answer is None else [RecordedExtender(weight, answer)]
        cycle = schedule(cluster, pod, profile, start, extenders)
        yield Comparison(decision, cycle)
        start = cycle.next_start
        if decision.node is not None:
            cluster.place(pod, decision.node)


@dataclass(frozen=True, slots=True)
class Summary:
    """What came of a whole recording."""

    decisions: int
    equal: int
    among_best: int
    equal_totals: int
    mean_ties: float
    largest_tie: int
    mean_candidates: float
    nowhere: int
    asked: int
    """Decisions in which an extender had a say."""
    tie_sizes: Mapping[int, int]
    """How many decisions had so many nodes with the highest total."""
    mismatches: tuple[str, ...]

    def __str__(self) -> str:
        """One line for a person."""
        return (
            f"{self.decisions} decisions: {self.equal} equal, {self.among_best} among the best, "
            f"{self.equal_totals} with every total equal; {self.mean_candidates:.0f} candidates, "
            f"ties of {self.mean_ties:.1f} (largest {self.largest_tie}), {self.nowhere} nowhere, "
            f"{self.asked} with an extender; decisions by size of their tie: {self.tie_sizes}"
        )


def summary(recording: Recording) -> Summary:
    """Counts, and the first mismatches with both tables."""
    compared = list(force(recording))
    counts = Counter(
        equal=sum(each.is_equal for each in compared),
        among_best=sum(each.is_among_best for each in compared),
        equal_totals=sum(each.has_equal_totals for each in compared),
    )
    placed = [each.cycle for each in compared if each.cycle.ties]
    wrong = [each for each in compared if not (each.is_among_best and each.has_equal_totals)]
    return Summary(
        decisions=len(compared),
        **counts,
        mean_ties=mean(len(cycle.ties) for cycle in placed),
        largest_tie=max(len(cycle.ties) for cycle in placed),
        mean_candidates=mean(len(cycle.candidates) for cycle in placed),
        nowhere=sum(each.decision.node is None for each in compared),
        asked=sum(each.decision.answer is not None for each in compared),
        tie_sizes=dict(sorted(Counter(len(cycle.ties) for cycle in placed).items())),
        mismatches=tuple(each.told() for each in wrong[:5]),
    )


def _cluster(told: Cluster) -> KubeCluster:
    nodes = {node["metadata"]["name"]: node for node in told.nodes}
    cluster = KubeCluster()
    for name in told.order:
        cluster.add_node(kube_node(_bytes(nodes[name])))
    return cluster


def _selectors(told: Cluster) -> Selectors:
    selectors = Selectors()
    for service in told.services:
        selectors.add(_bytes(service))
    return selectors


def _configuration(told: Cluster) -> dict[str, object]:
    kind = {"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration"}
    return {**kind, **told.configuration}


def _bytes(content: object) -> bytes:
    return json.dumps(content).encode()
