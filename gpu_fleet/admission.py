"""Where a pod may go at all: GPU models, node selector, required affinity, tolerations.

These depend on what a node *is*, not on what is free there, so the view evaluates them once per
distinct `Admission` and node and keeps the answer in a row. Semantics follow
https://kubernetes.io/docs/concepts/scheduling-eviction/ (assign-pod-node, taint-and-toleration).
This module must not look at amounts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpu_fleet.refusals import Refusal

if TYPE_CHECKING:
    from gpu_fleet.nodes import Node, Taint

__all__ = ["ANYWHERE", "Admission", "Requirement", "SelectorTerm", "Toleration", "refusal"]

_REQUIRED_EFFECTS = frozenset({"NoSchedule", "NoExecute"})


@dataclass(frozen=True, slots=True)
class Requirement:
    """One line of a node selector term: `key operator values`."""

    key: str
    operator: str
    """In, NotIn, Exists, DoesNotExist, Gt or Lt."""
    values: tuple[str, ...] = ()

    def holds(self, value: str | None) -> bool:
        """Whether a label with this value (None = no such label) satisfies the line."""
        match self.operator:
            case "In":
                return value in self.values
            case "NotIn":
                return value not in self.values
            case "Exists":
                return value is not None
            case "DoesNotExist":
                return value is None
            case "Gt" | "Lt":
                return self._compares(value)
        return False

    def _compares(self, value: str | None) -> bool:
        try:
            left, right = int(value or ""), int(self.values[0])
        except (ValueError, IndexError):
            return False
        return left > right if self.operator == "Gt" else left < right


@dataclass(frozen=True, slots=True)
class SelectorTerm:
    """All lines must hold. `fields` match `metadata.name`, `labels` match labels."""

    labels: tuple[Requirement, ...] = ()
    fields: tuple[Requirement, ...] = ()

    def matches(self, node: Node) -> bool:
        """Whether this node satisfies every line. An empty term matches nothing, as upstream."""
        if not self.labels and not self.fields:
            return False
        return all(line.holds(node.labels.get(line.key)) for line in self.labels) and all(
            line.key == "metadata.name" and line.holds(node.name) for line in self.fields
        )


@dataclass(frozen=True, slots=True)
class Toleration:
    """Which taints a pod puts up with; an empty key with Exists tolerates all."""

    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""

    def tolerates(self, taint: Taint) -> bool:
        """Whether this taint is put up with."""
        if self.effect and self.effect != taint.effect:
            return False
        if not self.key:
            return self.operator == "Exists"
        if self.key != taint.key:
            return False
        return self.operator == "Exists" or self.value == taint.value


@dataclass(frozen=True, slots=True)
class Admission:
    """Everything about a pod that is matched against what a node is."""

    gpu_models: tuple[str, ...] = ()
    """Allowed models, sorted; empty means any."""
    node_selector: tuple[tuple[str, str], ...] = ()
    affinity: tuple[SelectorTerm, ...] = ()
    """Required node affinity: one of these terms must match; empty means no requirement."""
    tolerations: tuple[Toleration, ...] = ()


ANYWHERE = Admission()


def refusal(node: Node, admission: Admission) -> Refusal:
    """The first thing about this node that keeps such a pod away, or `Refusal.NONE`."""
    if node.cordoned:
        return Refusal.CORDONED
    if any(not _tolerated(taint, admission) for taint in node.taints):
        return Refusal.TAINT
    if any(node.labels.get(key) != value for key, value in admission.node_selector):
        return Refusal.NODE_SELECTOR
    if admission.affinity and not any(term.matches(node) for term in admission.affinity):
        return Refusal.NODE_SELECTOR
    if admission.gpu_models and node.gpu_model not in admission.gpu_models:
        return Refusal.GPU_MODEL
    return Refusal.NONE


def _tolerated(taint: Taint, admission: Admission) -> bool:
    if taint.effect not in _REQUIRED_EFFECTS:
        return True
    return any(toleration.tolerates(taint) for toleration in admission.tolerations)
