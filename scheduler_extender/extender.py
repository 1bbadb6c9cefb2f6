"""One policy at work for a live scheduler: the object that the service's shell holds.

It hosts the same policy object, score cache and choice that a simulation hosts, over a view that a
ledger keeps from watches, and turns each answer into a promise before the next one is given.
Everything comes in as values, the time too; calls come one at a time.
This module must not know bytes, sockets or watches.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.admission import ANYWHERE
from gpu_fleet.draws import name_key
from gpu_fleet.refusals import Refusal
from gpu_fleet.scores import INFEASIBLE
from scheduler_extender.accounting.ledger import Ledger, LedgerSettings
from scheduler_extender.answers import (
    UNKNOWN_SLOT,
    Asked,
    Entry,
    FilterAnswer,
    PrioritizeAnswer,
    filter_refusals,
    prioritize_scores,
    refuse_all,
)
from scheduler_extender.explain import DecisionRecord, RecordStore
from scheduler_extender.objects.observed import Unclear
from scheduler_extender.placement.choice import best_first
from scheduler_extender.placement.score_cache import ScoreCache
from scheduler_extender.placement.terms.specialisation import bind
from scheduler_extender.regret import regrets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gpu_fleet.agents import AgentProfile
    from gpu_fleet.pods import PodShape
    from gpu_fleet.protocols import PlacementPolicy
    from gpu_fleet.scores import Score
    from scheduler_extender.objects.observed import ObservedPod
    from scheduler_extender.regret import Regret
    from scheduler_extender.term_budget import TermBudget

__all__ = ["Extender", "ExtenderCounts", "ExtenderSettings"]

_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class ExtenderSettings:
    """The few numbers of the service's decisions."""

    ledger: LedgerSettings = field(default_factory=LedgerSettings)
    stale_ns: int = 30 * _S
    """A view that no watch has vouched for this long is stale."""
    regret_every: int = 100
    """One call in so many is compared with other policies."""
    most_records: int = 10_000
    explained_nodes: int = 4
    """How many nodes of a decision are taken apart: the winner and those next to it."""
    most_shapes: int = 8_192
    """Shapes and rules in the view; beyond it the view is built anew."""


@dataclass(slots=True)
class ExtenderCounts:
    """What was answered, as totals that only grow; for metrics."""

    filters: int = 0
    prioritizes: int = 0
    refused: int = 0
    """Filter calls that left no node."""
    repeated: int = 0
    """Of those, answers that were known from before."""
    passed: int = 0
    stale: int = 0
    """Calls to the scorer that were answered by a stale view."""
    unknown_nodes: int = 0
    ties: int = 0
    """Calls in which another node had the best total as well and the name decided."""
    compared: int = 0
    """Calls that were compared with other policies."""
    not_explained: int = 0
    """Decisions that came too fast to be explained."""


@dataclass(slots=True, eq=False)
class _Draft:
    """A decision that is still to be explained."""

    record: DecisionRecord
    shape_id: int
    slots: NDArray[np.int64]
    """The nodes to take apart, the best first."""
    compared: NDArray[np.int64] | None
    """The nodes to ask other policies about, where this decision is in the sample."""
    membership: int
    """Of the ledger then: slots mean the same nodes as long as it stands."""


@dataclass(slots=True)
class _Refusal:
    """A refusal that may be given again."""

    version: int
    answer: FilterAnswer

    def still_holds(self, version: int, asked: Asked, *, stale: bool) -> bool:
        """Whether nothing that it depends on has changed."""
        answer = self.answer
        return self.version == version and answer.asked is asked and answer.stale == stale


_MOST_REFUSALS = 1_024
_MOST_DRAFTS = 256
_MOST_TRACKED = 16_384


class Extender:
    """Answers, promises and explains."""

    def __init__(
        self,
        policy: PlacementPolicy,
        settings: ExtenderSettings | None = None,
        *,
        budget: TermBudget | None = None,
        others: Sequence[PlacementPolicy] = (),
        mix: str = "",
    ) -> None:
        """`others` are the policies to be compared with; `mix` names the pod mix of `policy`."""
        self.policy = policy
        self.settings = settings or ExtenderSettings()
        self.ledger = Ledger(policy, self.settings.ledger)
        self.counts = ExtenderCounts()
        self.records = RecordStore(self.settings.most_records)
        self.mix = mix
        self._budget = budget
        self._others = tuple(others)
        self._agents: Mapping[str, AgentProfile] = {}
        self._with_agent: dict[PodShape, PodShape] = {}
        self._cache = ScoreCache(policy, self.ledger.view)
        self._seen_ns: int | None = None
        self._refusals: OrderedDict[tuple[Entry, int, int], _Refusal] = OrderedDict()
        self._drafts: deque[_Draft] = deque()
        self._waiting: OrderedDict[str, tuple[PodShape, Entry]] = OrderedDict()
        """Pods that were refused everywhere and have not been asked about since."""

    @property
    def waiting(self) -> int:
        """Pods that were refused everywhere and have not been asked about since."""
        return len(self._waiting)

    @property
    def unexplained(self) -> int:
        """Decisions that are still to be explained."""
        return len(self._drafts)

    # -- facts ---------------------------------------------------------------------------------

    def vouch(self, now_ns: int) -> None:
        """The watches are known to be whole and current at this moment."""
        self._seen_ns = now_ns

    def know_agents(self, agents: Mapping[str, AgentProfile]) -> None:
        """These are the agents' profiles from now on; a policy has its own `Expectations`."""
        self._agents = agents
        self._with_agent.clear()

    def pod_seen(self, pod: ObservedPod, now_ns: int) -> None:
        """A watch or a list shows this version of a pod; one that waits is scored beforehand."""
        pod = self.with_agent(pod)
        self.ledger.pod_seen(pod, now_ns)
        if pod.node is not None or pod.finished:
            self._waiting.pop(pod.uid, None)
        elif not isinstance(pod.shape, Unclear) and pod.shape.gpu_count:
            self._totals(self.ledger.view.intern(pod.shape))

    def pod_gone(self, uid: str, version: int = 0) -> None:
        """A watch shows that the pod was deleted."""
        self._waiting.pop(uid, None)
        self.ledger.pod_gone(uid, version)

    def with_agent(self, pod: ObservedPod) -> ObservedPod:
        """The pod, asking also for what its agent's profile says that it needs."""
        shape = pod.shape
        if isinstance(shape, Unclear) or shape.agent is None or shape.agent not in self._agents:
            return pod
        joined = self._with_agent.get(shape)
        if joined is None:
            if len(self._with_agent) >= self.settings.most_shapes:
                self._with_agent.clear()
            joined = bind(shape, self._agents[shape.agent])
            self._with_agent[shape] = joined
        if pod.node is not None:
            joined = replace(joined, admission=ANYWHERE)
        return replace(pod, shape=joined)

    # -- answers -------------------------------------------------------------------------------

    def look_up(self, names: tuple[str, ...]) -> Asked:
        """The nodes of a list of names; keep it as long as `is_current` says so."""
        view = self.ledger.view
        slots = view.find(names, UNKNOWN_SLOT)
        complete = bool((slots != UNKNOWN_SLOT).all())
        if complete:  # its nodes' keys are kept; no list of names comes twice from a scheduler
            order = view.order_key[slots]
        else:
            order = np.fromiter((name_key(name) for name in names), np.int64, len(names))
        return Asked(names, slots, order, self.ledger.membership, complete)

    @staticmethod
    def part_of(asked: Asked, places: NDArray[np.int64]) -> Asked:
        """Some of these nodes, without looking them up again."""
        slots = asked.slots[places]
        return Asked(
            tuple([asked.names[at] for at in places.tolist()]),
            slots,
            asked.order[places],
            asked.membership,
            complete=bool((slots != UNKNOWN_SLOT).all()),
        )

    def is_current(self, asked: Asked) -> bool:
        """Whether the slots of these names are still theirs."""
        return asked.membership == self.ledger.membership

    def filter(self, entry: Entry, pod: ObservedPod, asked: Asked, now_ns: int) -> FilterAnswer:
        """Who stays; the pod is from now on promised to those that do."""
        self.counts.filters += 1
        self.ledger.expire(now_ns)
        self.ledger.withdraw(pod.uid)
        self._waiting.pop(pod.uid, None)
        self._make_room()
        pod = self.with_agent(pod)
        age_ns = self._age_ns(now_ns)
        doubt = self._doubt(entry, pod, age_ns, now_ns)
        if doubt is not Refusal.NONE:
            answer = FilterAnswer(asked, refuse_all(asked, doubt), age_ns, self._is_stale(age_ns))
            if not isinstance(pod.shape, Unclear):
                self._wait(pod, pod.shape, entry)  # nothing in the cluster tells when doubt ends
            return self._note_filter(entry, pod, answer, now_ns)
        if isinstance(pod.shape, Unclear):
            self.counts.passed += 1
            why = np.zeros(len(asked.names), np.uint8)
            answer = FilterAnswer(asked, why, age_ns, passed=pod.shape.value)
            return self._note_filter(entry, pod, answer, now_ns)
        shape_id = self.ledger.view.intern(pod.shape)
        answer = self._compared(entry, pod, shape_id, asked, age_ns)
        if not answer.kept.any():
            self._wait(pod, pod.shape, entry)
        elif pod.shape.gpu_count:
            self._promise(pod, pod.shape, answer, now_ns)
        self._note_filter(entry, pod, answer, now_ns)
        if np.count_nonzero(answer.kept) == 1:  # no order will be asked for: this is the decision
            one = self.part_of(asked, answer.kept.nonzero()[0])
            self._draft(entry, pod, shape_id, one, self._totals_of(shape_id, one), age_ns, now_ns)
        return answer

    def prioritize(
        self, entry: Entry, pod: ObservedPod, asked: Asked, now_ns: int
    ) -> PrioritizeAnswer:
        """In which order; the pod is from now on counted on the best node."""
        self.counts.prioritizes += 1
        pod = self.with_agent(pod)
        age_ns = self._age_ns(now_ns)
        stale = self._is_stale(age_ns)
        self.counts.stale += stale
        if isinstance(pod.shape, Unclear) or not asked.names:
            passed = pod.shape.value if isinstance(pod.shape, Unclear) else ""
            scores = np.zeros(len(asked.names), np.int64)
            return PrioritizeAnswer(asked, scores, None, age_ns, stale, passed)
        self.ledger.lift(pod.uid)
        shape_id = self.ledger.view.intern(pod.shape)
        totals = self._totals_of(shape_id, asked)
        scores = prioritize_scores(totals, asked)
        best = int(scores.argmax())
        self.counts.ties += int(np.count_nonzero(totals == totals[best]) > 1)
        if pod.shape.gpu_count:
            self._assume(pod, pod.shape, asked, best, now_ns)
        self._draft(entry, pod, shape_id, asked, totals, age_ns, now_ns)
        return PrioritizeAnswer(asked, scores, best, age_ns, stale, totals=totals)

    def _compared(
        self, entry: Entry, pod: ObservedPod, shape_id: int, asked: Asked, age_ns: int | None
    ) -> FilterAnswer:
        stale = self._is_stale(age_ns)
        self.counts.stale += stale
        key = (entry, shape_id, id(asked))
        known = self._refusals.get(key)
        if known is not None and known.still_holds(self.ledger.version, asked, stale=stale):
            self.counts.repeated += 1
            return replace(known.answer, age_ns=age_ns)
        totals = self._totals_of(shape_id, asked)
        flights = self.ledger.flights(pod.uid)
        why = filter_refusals(self.ledger, shape_id, asked, totals, entry, flights)
        answer = FilterAnswer(asked, why, age_ns, stale)
        if why.all():
            self._refusals[key] = _Refusal(self.ledger.version, answer)
            self._refusals.move_to_end(key)
            while len(self._refusals) > _MOST_REFUSALS:
                self._refusals.popitem(last=False)
        return answer

    def _doubt(self, entry: Entry, pod: ObservedPod, age_ns: int | None, now_ns: int) -> Refusal:
        """Why the guard answers for no node at all, or `NONE`."""
        if entry is Entry.SCORER or pod.shape is Unclear.CLAIMS:
            return Refusal.NONE
        if self._is_stale(age_ns):
            return Refusal.STALE
        if pod.shape is Unclear.UNREADABLE:
            return Refusal.POD_UNREADABLE
        return Refusal.TAKEOVER if self.ledger.is_silent(now_ns) else Refusal.NONE

    def _age_ns(self, now_ns: int) -> int | None:
        return None if self._seen_ns is None else now_ns - self._seen_ns

    def _is_stale(self, age_ns: int | None) -> bool:
        return age_ns is None or age_ns > self.settings.stale_ns

    # -- promises ------------------------------------------------------------------------------

    def _promise(
        self, pod: ObservedPod, shape: PodShape, answer: FilterAnswer, now_ns: int
    ) -> None:
        kept = answer.kept
        self.ledger.promise(pod.uid, shape, self._slots(answer.asked, kept), now_ns)
        if np.count_nonzero(kept) == 1:  # the scheduler will not ask for an order then
            self._count_on(pod.uid, answer.asked, int(kept.argmax()))

    def _assume(
        self, pod: ObservedPod, shape: PodShape, asked: Asked, best: int, now_ns: int
    ) -> None:
        if self.ledger.assumption(pod.uid) is None:  # asked for an order only
            everywhere = np.ones(len(asked.names), np.bool_)
            self.ledger.promise(pod.uid, shape, self._slots(asked, everywhere), now_ns)
        self._count_on(pod.uid, asked, best)

    def _slots(self, asked: Asked, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """By slot: which of these nodes were chosen."""
        marks = np.zeros(self.ledger.view.slots + 1, np.bool_)  # the last is for UNKNOWN_SLOT
        marks[asked.slots[chosen]] = True
        return marks[:-1]

    def _count_on(self, uid: str, asked: Asked, place: int) -> None:
        if asked.slots[place] != UNKNOWN_SLOT:
            self.ledger.assume(uid, asked.names[place])

    # -- totals --------------------------------------------------------------------------------

    def _totals_of(self, shape_id: int, asked: Asked) -> NDArray[np.int64]:
        """The policy's totals for the names; `INFEASIBLE` for nodes that the view lacks."""
        totals = self._totals(shape_id)
        if asked.complete:
            return totals.take(asked.slots)
        known = asked.slots != UNKNOWN_SLOT
        self.counts.unknown_nodes += int(np.count_nonzero(~known))
        found = np.full(len(asked.slots), INFEASIBLE, np.int64)
        found[known] = totals[asked.slots[known]]
        return found

    def _totals(self, shape_id: int) -> NDArray[np.int64]:
        """By slot; terms that took too long are left out, for all nodes alike."""
        budget = self._budget
        totals = self._cache.totals(shape_id)
        if budget is None or not (over := budget.take_over()):
            return totals
        view = self.ledger.view
        budget.left_out.update(over)
        budget.muted = over
        totals = self.policy.totals(view, shape_id, np.arange(view.slots))
        budget.muted = frozenset()
        self._cache = ScoreCache(self.policy, view)  # what was kept is in part without them
        return totals

    def _make_room(self) -> None:
        """Forget shapes that nobody asks for, before the tables of the view grow without end."""
        if len(self.ledger.view.shapes) < self.settings.most_shapes:
            return
        self.ledger.renew()
        self._cache = ScoreCache(self.policy, self.ledger.view)
        self._refusals.clear()
        self._drafts.clear()

    # -- whom a change helps -------------------------------------------------------------------

    def _wait(self, pod: ObservedPod, shape: PodShape, entry: Entry) -> None:
        self._waiting[pod.uid] = (shape, entry)
        while len(self._waiting) > _MOST_TRACKED:
            self._waiting.popitem(last=False)

    def could_go_now(self) -> list[str]:
        """Uids of refused pods that would not be refused now and were not asked about since.

        kube-scheduler asks again when it sees an event, which may be before we see it; if it is
        refused by our older view, nothing tells it when ours has caught up.
        """
        found = []
        fits: dict[tuple[PodShape, Entry], bool] = {}
        view = self.ledger.view
        for uid, wanted in self._waiting.items():
            if wanted not in fits:
                shape_id = view.intern(wanted[0])
                asked = self._everything()
                totals = self._totals_of(shape_id, asked)
                totals_fit = totals != INFEASIBLE
                why = filter_refusals(
                    self.ledger, shape_id, asked, totals, wanted[1], self.ledger.flights(uid)
                )
                fits[wanted] = bool((totals_fit & (why == Refusal.NONE)).any())
            if fits[wanted]:
                found.append(uid)
        return found

    def _everything(self) -> Asked:
        slots = self.ledger.view.live_slots()
        order = self.ledger.view.order_key[slots]
        return Asked(("",) * len(slots), slots, order, self.ledger.membership, complete=True)

    # -- records -------------------------------------------------------------------------------

    def _note_filter(
        self, entry: Entry, pod: ObservedPod, answer: FilterAnswer, now_ns: int
    ) -> FilterAnswer:
        kept = int(np.count_nonzero(answer.kept))
        self.counts.refused += kept == 0
        record = self._record(entry, pod, len(answer.asked.names), kept, answer.age_ns, now_ns)
        self.records.keep(
            replace(
                record,
                why_not=answer.why_not(),
                stale=answer.stale,
                passed=answer.passed,
                problem=pod.problem,
            )
        )
        return answer

    def _record(
        self,
        entry: Entry,
        pod: ObservedPod,
        asked: int,
        kept: int,
        age_ns: int | None,
        now_ns: int,
    ) -> DecisionRecord:
        shape = pod.shape
        return DecisionRecord(
            pod=pod.name,
            uid=pod.uid,
            entry=entry.value,
            at_ns=now_ns,
            shape=shape.value if isinstance(shape, Unclear) else shape.describe(),
            policy=self.policy.name,
            mix=self.mix,
            view_version=self.ledger.view.changes,
            view_age_ns=age_ns,
            asked=asked,
            kept=kept,
        )

    def _draft(
        self,
        entry: Entry,
        pod: ObservedPod,
        shape_id: int,
        asked: Asked,
        totals: NDArray[np.int64],
        age_ns: int | None,
        now_ns: int,
    ) -> None:
        before = self.records.of(pod.uid)
        known = asked.slots != UNKNOWN_SLOT
        record = self._record(entry, pod, len(asked.names), len(asked.names), age_ns, now_ns)
        if before is not None:
            record = replace(record, asked=before.asked, why_not=before.why_not)
        record = replace(record, stale=self._is_stale(age_ns))
        first = best_first(totals, asked.order, self.settings.explained_nodes)
        sampled = self.counts.prioritizes % self.settings.regret_every == 0
        compared = asked.slots[known] if sampled and self._others else None
        slots = asked.slots[first]
        there = slots[slots != UNKNOWN_SLOT]
        self._drafts.append(_Draft(record, shape_id, there, compared, asked.membership))
        while len(self._drafts) > _MOST_DRAFTS:
            self._drafts.popleft()
            self.counts.not_explained += 1

    def explain_next(self) -> DecisionRecord | None:
        """Take apart the oldest decision that nobody explained yet; after its answer is sent.

        The pod is lifted from the node it is counted on meanwhile, so that the terms are those that
        decided, unless something else has changed since.
        """
        if not self._drafts:
            return None
        draft = self._drafts.popleft()
        uid = draft.record.uid
        flight = self.ledger.assumption(uid)
        seat = None if flight is None else flight.seat
        held = self.ledger.view.placement(uid)
        self.ledger.lift(uid)
        record = replace(
            draft.record,
            best=self._scores(draft),
            devices=() if held is None else held.devices,
            regrets=self._regrets(draft),
        )
        if seat is not None:
            self.ledger.assume(uid, seat)
        return self.records.keep(record)

    def _scores(self, draft: _Draft) -> tuple[Score, ...]:
        slots = self._still_there(draft, draft.slots)
        return self.policy.explain(self.ledger.view, draft.shape_id, slots)

    def _regrets(self, draft: _Draft) -> tuple[Regret, ...]:
        if draft.compared is None:
            return ()
        self.counts.compared += 1
        slots = self._still_there(draft, draft.compared)
        return regrets(self.ledger.view, draft.shape_id, slots, self.policy, self._others)

    def _still_there(self, draft: _Draft, slots: NDArray[np.int64]) -> NDArray[np.int64]:
        if draft.membership == self.ledger.membership:
            return slots
        return slots[np.isin(slots, self.ledger.view.live_slots())]
