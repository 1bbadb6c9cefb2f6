"""May such a pod be on such a node at all? Kubernetes' rules, written down a second time.

A second reading of https://kubernetes.io/docs/concepts/scheduling-eviction/ (assign-pod-node,
taint-and-toleration), on purpose without looking at the first in `gpu_fleet.admission`.
This module must not call methods of the values it reads: they are code of the other side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gpu_fleet.admission import Admission, Requirement, SelectorTerm, Toleration
    from gpu_fleet.nodes import Node, Taint

__all__ = ["obstacle"]


def obstacle(node: Node, rule: Admission) -> str | None:
    """What about this node keeps a pod with this rule away, in words, or None."""
    if node.cordoned:
        return "the node is cordoned"
    for taint in node.taints:
        if taint.effect != "PreferNoSchedule" and not _borne(taint, rule.tolerations):
            return f"the taint {taint.key}={taint.value}:{taint.effect} is not tolerated"
    for key, value in rule.node_selector:
        if key not in node.labels or node.labels[key] != value:
            return f"the node selector asks for {key}={value}"
    if rule.affinity and not any(_matched(node, term) for term in rule.affinity):
        return "no term of the required node affinity matches"
    if rule.gpu_models and node.gpu_model not in rule.gpu_models:
        return f"the GPU model {node.gpu_model} is none of {', '.join(rule.gpu_models)}"
    return None


def _borne(taint: Taint, tolerations: tuple[Toleration, ...]) -> bool:
    for toleration in tolerations:
        effect = toleration.effect in {"", taint.effect}
        any_key = toleration.key == "" and toleration.operator == "Exists"
        same_key = toleration.key == taint.key and toleration.key != ""
        value = toleration.operator == "Exists" or toleration.value == taint.value
        if effect and (any_key or (same_key and value)):
            return True
    return False


def _matched(node: Node, term: SelectorTerm) -> bool:
    lines = [(line, node.labels) for line in term.labels]
    lines += [(line, {"metadata.name": node.name}) for line in term.fields]
    return bool(lines) and all(_satisfied(line, given) for line, given in lines)


def _satisfied(line: Requirement, given: Mapping[str, str]) -> bool:
    value = given.get(line.key)
    match line.operator:
        case "In" | "NotIn":
            return (value in line.values) == (line.operator == "In")
        case "Exists" | "DoesNotExist":
            return (value is not None) == (line.operator == "Exists")
        case "Gt" | "Lt":
            number, bound = _number(value), _number(line.values[0] if line.values else None)
            if number is None or bound is None:
                return False
            return number > bound if line.operator == "Gt" else number < bound
    return False


def _number(text: str | None) -> int | None:
    try:
        return int(text or "")
    except ValueError:
        return None
