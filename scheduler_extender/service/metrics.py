"""What the extender counts and measures: above all what kube-scheduler itself does not.

Calls and their times by entry and verb, how decided the answers were, how old the view is, what is
under way, and how much of the fleet is free and of no use. Totals that the deciding part keeps are
copied when somebody looks, so that counting costs an answer nothing.
This module must not have a label that a cluster's users can grow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from gpu_fleet.refusals import Refusal
from gpu_fleet.scores import INFEASIBLE
from scheduler_extender.answers import Entry, FilterAnswer
from scheduler_extender.placement.least_loss import LeastLoss
from scheduler_extender.placement.terms.stranding import (
    RoomTable,
    StrandingSettings,
    own_cpu_rates,
    useful_room,
)
from service_runtime.telemetry.metrics import AtMost

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from scheduler_extender.calls import Reply
    from scheduler_extender.explain import DecisionRecord
    from scheduler_extender.extender import Extender
    from scheduler_extender.placement.pod_mix import PodMix
    from scheduler_extender.term_budget import TermBudget
    from service_runtime.telemetry.metrics import Counter, Metrics

__all__ = ["ExtenderMetrics", "entropy_bits", "stranded_gpus"]

VERBS: Final = ("filter", "prioritize")
OUTCOMES: Final = ("answered", "refused", "passed", "malformed", "not_leading")
"""`refused` left no node; `malformed` is a request that made no sense."""
_MICRO: Final = 1_000_000
_MICRO_PER_MILLI: Final = 1_000
_MOST_TERMS: Final = 32
_CALL_BUCKETS_S: Final = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.004, 0.006, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0),
    5.0,
)
_REGRET_BUCKETS: Final = (0.0, 1.0, 10.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0)
_STEPS: Final = 10
_ENTROPY_BUCKETS: Final = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5)
"""Eleven scores have at most 3.46 bits."""


class ExtenderMetrics:
    """All of the extender's own metrics."""

    def __init__(
        self,
        metrics: Metrics,
        extender: Extender,
        *,
        budget: TermBudget,
        mix: Callable[[], PodMix],
        age_s: Callable[[], float],
        late_after_s: float,
    ) -> None:
        self._extender = extender
        self._budget = budget
        self._mix = mix
        self._late_ns = round(late_after_s * 1_000_000_000)
        entries = tuple(entry.value for entry in Entry)
        asked = {"entry": entries, "verb": VERBS}
        self._calls = metrics.counter(
            "synthscale_extender_calls_total",
            "Calls of schedulers, by what became of them.",
            {**asked, "outcome": OUTCOMES},
        )
        self._late = metrics.counter(
            "synthscale_extender_late_calls_total",
            "Calls that took longer than a scheduler waits for an answer.",
            asked,
        )
        self._seconds = metrics.histogram(
            "synthscale_extender_call_seconds",
            "From the whole request to the whole answer, both in memory.",
            asked,
            _CALL_BUCKETS_S,
        )
        self._entropy = metrics.histogram(
            "synthscale_extender_score_entropy_bits",
            "Spread of the totals of one prioritize answer, over ten equal steps from the best "
            "node to the worst; near 0 nearly all nodes are alike.",
            {"entry": entries},
            _ENTROPY_BUCKETS,
        )
        self._refusals = metrics.counter(
            "synthscale_extender_node_refusals_total",
            "Nodes refused in filter answers, by the reason.",
            {"entry": entries, "reason": [why.name.lower() for why in Refusal if why]},
        )
        self._regret = metrics.histogram(
            "synthscale_extender_regret_gpu_seconds",
            "GPU-seconds that another policy's node would have lost beyond ours, in a sample.",
            {"policy": AtMost(8)},
            _REGRET_BUCKETS,
        )
        self._left_out = _Growing(
            metrics.counter(
                "synthscale_extender_terms_left_out_total",
                "Terms of the policy left out of a call, since they took too long.",
                {"term": AtMost(_MOST_TERMS)},
            )
        )
        self._grow = _declare_totals(metrics)
        self._declare_gauges(metrics, age_s)
        self._table_of: PodMix | None = None
        self._table: RoomTable | None = None

    def called(self, entry: Entry, verb: str, reply: Reply | None, taken_ns: int) -> None:
        """One call was answered; `reply` is None where this replica does not lead."""
        labels = {"entry": entry.value, "verb": verb}
        self._calls.add(**labels, outcome=_outcome(reply))
        if reply is None:
            return
        self._seconds.observe(taken_ns / 1_000_000_000, **labels)
        if taken_ns > self._late_ns:
            self._late.add(**labels)
        answer = reply.answer
        if isinstance(answer, FilterAnswer):
            for why, many in answer.why_not():
                self._refusals.add(many, entry=entry.value, reason=why.name.lower())
        elif answer is not None and answer.totals is not None:
            self._entropy.observe(entropy_bits(answer.totals), entry=entry.value)

    def explained(self, record: DecisionRecord) -> None:
        """A decision was taken apart; some are compared with other policies."""
        for regret in record.regrets:
            self._regret.observe(regret.gpu_seconds, policy=regret.policy)

    def copy_totals(self) -> None:
        """Bring the counters to what the deciding part counted."""
        counts, ledger = self._extender.counts, self._extender.ledger.counts
        for name, growing in self._grow.items():
            kept = counts if hasattr(counts, name) else ledger
            growing.reach(float(getattr(kept, name)))
        for term, times in self._budget.left_out.items():
            self._left_out.reach(float(times), term=term)

    def _declare_gauges(self, metrics: Metrics, age_s: Callable[[], float]) -> None:
        extender = self._extender
        ledger = extender.ledger
        metrics.gauge(
            "synthscale_extender_view_age_seconds",
            "How old the view is that answers are given by; infinite before the first.",
        ).read(age_s)
        metrics.gauge(
            "synthscale_extender_live_assumptions",
            "Pods that were answered about and are not seen bound yet.",
        ).read(lambda: float(len(ledger.flights(""))))
        metrics.gauge(
            "synthscale_extender_overcommitted_nodes",
            "Nodes that give out more GPU than they have.",
        ).read(lambda: float(len(ledger.overcommitted())))
        metrics.gauge(
            "synthscale_extender_waiting_pods",
            "Pods that were refused everywhere and are not asked about again yet.",
        ).read(lambda: float(extender.waiting))
        metrics.gauge(
            "synthscale_extender_free_gpus", "GPUs, and parts of GPUs, nobody holds."
        ).read(lambda: self._room()[0])
        metrics.gauge(
            "synthscale_extender_stranded_gpus",
            "Free GPUs of no use to the pods that usually come, for want of CPU, memory or size.",
        ).read(lambda: self._room()[1])
        metrics.gauge(
            "synthscale_extender_fragmentation_ratio", "Stranded part of what is free."
        ).read(self._fragmentation)

    def _fragmentation(self) -> float:
        free, stranded = self._room()
        return stranded / free if free else 0.0

    def _room(self) -> tuple[float, float]:
        policy = self._extender.policy
        if isinstance(policy, LeastLoss):
            return stranded_gpus(self._extender, policy.stranding.table)
        if self._table is None or self._table_of is not self._mix():
            self._table_of = self._mix()
            self._table = RoomTable.of(self._table_of, StrandingSettings())
        return stranded_gpus(self._extender, self._table)


class _Growing:
    """A counter that follows a total kept elsewhere."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._reached: dict[tuple[str, ...], float] = {}

    def reach(self, total: float, **labels: str) -> None:
        """The total is this much now."""
        key = tuple(labels.values())
        before = self._reached.get(key, 0.0)
        if total > before:
            self._counter.add(total - before, **labels)
            self._reached[key] = total


def _declare_totals(metrics: Metrics) -> dict[str, _Growing]:
    """By the name under which the core, or its ledger, counts."""
    counters = {
        "ties": metrics.counter(
            "synthscale_extender_ties_total",
            "Prioritize calls in which the name decided between equals.",
        ),
        "passed": metrics.counter(
            "synthscale_extender_passed_through_total",
            "Filter calls about pods that are not understood.",
        ),
        "repeated": metrics.counter(
            "synthscale_extender_repeated_refusals_total", "Refusals that were known from before."
        ),
        "stale": metrics.counter(
            "synthscale_extender_stale_answers_total", "Answers that were given by a stale view."
        ),
        "unknown_nodes": metrics.counter(
            "synthscale_extender_unknown_nodes_total",
            "Names of schedulers that the view does not have.",
        ),
        "compared": metrics.counter(
            "synthscale_extender_compared_decisions_total",
            "Decisions compared with other policies.",
        ),
        "not_explained": metrics.counter(
            "synthscale_extender_unexplained_decisions_total", "Decisions too fast to be explained."
        ),
        "assumed": metrics.counter(
            "synthscale_extender_assumptions_total",
            "Pods that began to hold what was promised to them.",
        ),
        "landed": metrics.counter(
            "synthscale_extender_landed_assumptions_total",
            "Pods seen bound to the node they were counted on.",
        ),
        "elsewhere": metrics.counter(
            "synthscale_extender_stray_assumptions_total",
            "Pods seen bound to another node than expected.",
        ),
        "expired": metrics.counter(
            "synthscale_extender_expired_assumptions_total", "Promises that nobody kept in time."
        ),
        "withdrawn": metrics.counter(
            "synthscale_extender_withdrawn_assumptions_total",
            "Promises void since the pod was asked about.",
        ),
        "inherited": metrics.counter(
            "synthscale_extender_inherited_assumptions_total",
            "Pods that may be under way by a predecessor.",
        ),
        "confirmed": metrics.counter(
            "synthscale_extender_confirmed_pods_total", "Pods whose devices a device plugin told."
        ),
        "mispredicted": metrics.counter(
            "synthscale_extender_mispredicted_pods_total",
            "Of those, pods predicted on other devices.",
        ),
        "overcommitted": metrics.counter(
            "synthscale_extender_overcommitments_total", "Nodes that began to give out too much."
        ),
        "late": metrics.counter(
            "synthscale_extender_late_events_total", "Watch events older than what was known."
        ),
    }
    return {kept: _Growing(counter) for kept, counter in counters.items()}


def stranded_gpus(extender: Extender, table: RoomTable) -> tuple[float, float]:
    """GPUs that are free, and of those the ones that the mix of `table` cannot use."""
    view = extender.ledger.view
    slots = view.live_slots()
    free = view.gpu_free_milli[slots]
    free_milli = free.sum(axis=1)
    room = useful_room(
        table,
        own_cpu_rates(view, slots),
        table.hole[free].sum(axis=1),
        free_milli,
        view.cpu_free_milli[slots],
        view.memory_free_mib[slots],
    )
    micro = free_milli * _MICRO_PER_MILLI
    stranded = np.clip(micro - room, 0, micro)
    return float(micro.sum()) / _MICRO, float(stranded.sum()) / _MICRO


def _outcome(reply: Reply | None) -> str:
    if reply is None:
        return "not_leading"
    if reply.answer is None:
        return "malformed"
    if reply.answer.passed:
        return "passed"
    if isinstance(reply.answer, FilterAnswer) and reply.answer.why.all():
        return "refused"
    return "answered"


def entropy_bits(totals: NDArray[np.int64]) -> float:
    """How evenly the nodes that can take a pod lie between the best and the worst of them."""
    can = totals[totals != INFEASIBLE]
    if len(can) == 0:
        return 0.0
    lowest, span = int(can.min()), int(can.max() - can.min()) + 1
    shares = np.bincount((can - lowest) // max(1, -(-span // _STEPS))) / len(can)
    present = shares[shares > 0]
    return float(-(present * np.log2(present)).sum())
