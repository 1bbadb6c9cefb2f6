"""The policy of this process: built by name, told which pods usually come, and which agents exist.

The mix is given by a file, or learned from the pods that the cluster holds; a policy that cannot
learn is left alone. The slow part of a lesson (a small linear program) may be prepared beside the
loop. This module must not look at a node.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import msgspec
import numpy as np

from gpu_fleet.errors import InputError
from gpu_fleet.pods import PodShape
from scheduler_extender.extender import Extender
from scheduler_extender.objects.observed import Unclear
from scheduler_extender.placement.least_loss import LeastLoss
from scheduler_extender.placement.pod_mix import MixClass, PodMix
from scheduler_extender.placement.registry import build_policy
from scheduler_extender.placement.terms.expectations import Expectations
from scheduler_extender.term_budget import TermBudget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from gpu_fleet.agents import AgentProfile
    from gpu_fleet.protocols import PlacementPolicy
    from scheduler_extender.objects.observed import ObservedPod
    from scheduler_extender.service.settings import ServiceSettings

__all__ = ["Judgement", "mix_of", "read_mix"]

_COMPARED = ("best-fit", "fgd")
"""Whose choices ours are compared with."""
_NS_PER_MS = 1_000_000


class _MixRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One class of a mix file."""

    count: int
    cpu_milli: int = 0
    memory_mib: int = 0
    gpu_count: int = 0
    gpu_milli: int = 1_000
    gpu_memory_mib: int = 0
    lifetime_s: int | None = None


@runtime_checkable
class _Learns(Protocol):
    def learn(self, mix: PodMix) -> None:
        """Go on with another mix."""


def read_mix(path: Path) -> PodMix:
    """The mix that a file gives; raises `InputError`."""
    remedy = "give a JSON list of {count, cpu_milli, memory_mib, gpu_count, gpu_milli, ...}"
    try:
        rows = msgspec.json.decode(path.read_bytes(), type=list[_MixRow])
        classes = [
            MixClass(
                PodShape(
                    row.cpu_milli, row.memory_mib, row.gpu_count, row.gpu_milli, row.gpu_memory_mib
                ),
                row.count,
                row.lifetime_s,
            )
            for row in rows
        ]
    except OSError as error:
        raise InputError(
            f"cannot be read ({error.strerror})", remedy=remedy, file=str(path)
        ) from error
    except msgspec.MsgspecError as error:
        raise InputError(str(error), remedy=remedy, file=str(path)) from error
    except InputError as error:
        raise error.within(str(path)) from error
    return PodMix(tuple(sorted(classes, key=lambda one: -one.count)))


def mix_of(pods: Iterable[ObservedPod]) -> PodMix:
    """What these pods tell about what usually comes; pods that nobody understands tell nothing."""
    seen = Counter(pod.shape for pod in pods if not isinstance(pod.shape, Unclear))
    return PodMix(tuple(MixClass(shape, count) for shape, count in seen.most_common()))


class Judgement:
    """The extender of this process, and what its policies are taught."""

    def __init__(
        self, settings: ServiceSettings, given: PodMix | None, clock_ns: Callable[[], int]
    ) -> None:
        self.mix = given or PodMix()
        self._agents: dict[str, AgentProfile] = {}
        self._expect = Expectations(lifetimes_s=self.mix.lifetimes_s(), agents=self._agents)
        policy = build_policy(settings.policy.name, self.mix, self._expect)
        self.budget = TermBudget(clock_ns, round(settings.policy.term_budget_ms * _NS_PER_MS))
        timed = isinstance(policy, LeastLoss) and settings.policy.term_budget_ms > 0
        if timed and isinstance(policy, LeastLoss):
            self.budget.watch(policy)
        self._others = tuple(
            build_policy(name, self.mix, self._expect)
            for name in _COMPARED
            if name != settings.policy.name
        )
        self.extender = Extender(
            policy,
            settings.of_decisions(),
            budget=self.budget if timed else None,
            others=self._others,
            mix="" if given is None else "given by a file",
        )

    def know_agents(self, agents: dict[str, AgentProfile]) -> None:
        """These are the cluster's agents from now on."""
        self._agents.clear()
        self._agents.update(agents)
        self.extender.know_agents(self._agents)
        self.learn(self.mix, self.extender.mix)

    def learn(self, mix: PodMix, where_from: str) -> None:
        """Go on with this mix, in every policy that can."""
        self.mix = mix
        self.extender.mix = where_from
        policies: tuple[PlacementPolicy, ...] = (self.extender.policy, *self._others)
        for policy in policies:
            if isinstance(policy, _Learns):
                policy.learn(mix)

    def warm_up(self) -> None:
        """Score one whole GPU and one share everywhere, so that no call waits for a compiler."""
        view = self.extender.ledger.view
        for milli in (1_000, 500):
            shape = PodShape(cpu_milli=1_000, memory_mib=1_024, gpu_count=1, gpu_milli=milli)
            self.extender.policy.totals(view, view.intern(shape), np.arange(view.slots))
