"""An accountant of its own: what each node holds, counted from plain objects and nothing else.

It knows whole GPUs and HAMi's shares as their documentation states them, packs shares by search,
and was written without looking at how the extender counts. It must not import anything of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.scheduler_extender.service.tap import Call

__all__ = ["Want", "fits_alone", "plain_feasible", "uncovered", "wanted"]

GPU = "nvidia.com/gpu"
CORES = "nvidia.com/gpucores"
MEMORY = "nvidia.com/gpumem"
IN_FLIGHT = "GPU may go to a pod that is being bound"
SILENT = "taken over a moment ago"


@dataclass(frozen=True, slots=True)
class Want:
    """What one pod asks of GPUs: whole ones, or a share of one."""

    whole: int = 0
    percent: int = 0
    mib: int = 0

    @property
    def shares(self) -> bool:
        """It takes part of a GPU."""
        return not self.whole and bool(self.percent or self.mib)


def wanted(pod: dict[str, Any]) -> Want:
    """Of a pod with one container."""
    limits = pod["spec"]["containers"][0]["resources"].get("limits") or {}
    percent, mib = amount(limits.get(CORES, "0")), amount(limits.get(MEMORY, "0"))
    if percent or mib:
        return Want(percent=percent, mib=mib)
    return Want(whole=int(limits.get(GPU, 0)))


def amount(quantity: str) -> int:
    """A whole number as the API server may have written it."""
    return int(quantity.removesuffix("k")) * (1_000 if quantity.endswith("k") else 1)


def devices(node: dict[str, Any]) -> tuple[int, int]:
    """How many GPUs a node has, and MiB of each."""
    labels = node["metadata"]["labels"]
    return int(node["status"]["allocatable"].get(GPU, 0)), int(labels["nvidia.com/gpu.memory"])


def uncovered(nodes: Iterable[dict[str, Any]], pods: Iterable[dict[str, Any]]) -> list[str]:
    """Nodes on which no way of handing out devices serves all pods that are bound there."""
    by_node: dict[str, list[Want]] = {}
    for pod in pods:
        if pod["spec"].get("nodeName") and pod["status"]["phase"] not in {"Succeeded", "Failed"}:
            by_node.setdefault(pod["spec"]["nodeName"], []).append(wanted(pod))
    return [
        node["metadata"]["name"]
        for node in nodes
        if not _hold(by_node.get(node["metadata"]["name"], []), *devices(node))
    ]


def _hold(wants: Sequence[Want], count: int, mib: int) -> bool:
    left = count - sum(want.whole for want in wants)
    shares = sorted((want for want in wants if want.shares), key=lambda one: -one.percent)
    return left >= 0 and _pack(shares, [(100, mib)] * left)


def _pack(shares: Sequence[Want], free: list[tuple[int, int]]) -> bool:
    if not shares:
        return True
    first, rest = shares[0], shares[1:]
    for state in set(free):
        percent, mib = state[0] - first.percent, state[1] - first.mib
        if percent < 0 or mib < 0:
            continue
        at = free.index(state)
        if _pack(rest, [*free[:at], (percent, mib), *free[at + 1 :]]):
            return True
    return False


def fits_alone(want: Want, held: Sequence[Want], node: dict[str, Any]) -> bool:
    """Whether a pod fits beside those, on a node where shares leave no choice of device."""
    return _hold([*held, want], *devices(node))


def plain_feasible(calls: Sequence[Call], nodes: dict[str, dict[str, Any]]) -> list[str]:
    """Filter answers that an independent count contradicts, told in words; empty where none is.

    Every pod is counted where the answers before said it would go. Nodes that were refused because
    of pods under way must be free by plain count, for they are refused for no other reason. A
    guard that has just begun to lead gives nothing at all for a moment: that is no count of nodes,
    and it must be over once it has spoken. The calls are those to one leader.
    """
    where: dict[str, tuple[str, Want]] = {}
    wrong = []
    spoken = False
    for call in calls:
        if call.status != 200:
            continue
        if call.path.endswith("prioritize"):
            where[call.uid] = (call.tens[0], wanted(call.asked["Pod"]))
            continue
        where.pop(call.uid, None)
        want = wanted(call.asked["Pod"])
        if _is_silence(call) and not spoken:
            continue
        spoken |= call.path == "/guard/filter"
        held: dict[str, list[Want]] = {}
        for name, other in where.values():
            held.setdefault(name, []).append(other)
        expected = {
            name for name in call.names if fits_alone(want, held.get(name, []), nodes[name])
        }
        under_way = {name for name, why in call.refused.items() if why == IN_FLIGHT}
        if set(call.kept) | under_way != expected:
            odd = sorted((set(call.kept) | under_way) ^ expected)[:5]
            said = sorted(set(call.refused.values()))
            wrong.append(f"{call.asked['Pod']['metadata']['name']} ({want}): {odd}; said {said}")
        if len(call.kept) == 1:
            where[call.uid] = (call.kept[0], want)
    return wrong


def _is_silence(call: Call) -> bool:
    return call.path == "/guard/filter" and call.refused == dict.fromkeys(call.names, SILENT)
